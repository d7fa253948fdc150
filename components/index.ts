export { Container, type ContainerArgs } from "./container";
export { LocalBalancer } from "./local/balancer";
export { LocalFleet } from "./local/fleet";
export { serverName } from "./naming";
export { type ContainerSettings, readSettings, type Settings } from "./settings";
