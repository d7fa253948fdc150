export { Container, type ContainerArgs } from "./container";
export { LocalFleet } from "./local/fleet";
export { type ContainerSettings, readSettings, serverName, type Settings } from "./settings";
