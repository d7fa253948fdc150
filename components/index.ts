export { Container, type ContainerArgs, containerUrn } from "./container";
export { LocalFleet } from "./local/fleet";
export { type ContainerSettings, readSettings, serverName, type Settings } from "./settings";
