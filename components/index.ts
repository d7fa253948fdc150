/** `containarium`: components for Pulumi programs. */
export { Container, type ContainerArgs } from "./container";
export { JumpServer, type JumpServerArgs } from "./jump-server";
export { LocalBalancer } from "./local/balancer";
export { LocalFleet } from "./local/fleet";
export { serverName } from "./naming";
export { containariumProgram, type ProgramOutputs } from "./program";
export { type ContainerSettings, type Settings, settingsFrom, stackSettings } from "./settings";
export type { GoogleSettings } from "./google-settings";
export { SpotFleet, type SpotFleetArgs } from "./spot-fleet";
export { SshLoadBalancer, type SshLoadBalancerArgs } from "./ssh-load-balancer";
export { ZfsDisk, type ZfsDiskArgs } from "./zfs-disk";
