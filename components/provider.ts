/**
 * `containarium/provider`: what the dynamic resources' stubs call (see stub.ts). Runs in the engine's provider process.
 */
export { containerProvider as container } from "./container-provider";
export { localHostProvider as localHost } from "./local/host-provider";
export { localMachineProvider as localMachine } from "./local/machine-provider";
