/**
 * `containarium/provider`: what the dynamic resources' stubs call (see stub.ts). Runs in the engine's provider process.
 */
import { containerProvider } from "./container-provider";
import { dataDiskRecordProvider } from "./data-disk-record-provider";
import { explained } from "./explained";
import { localBalancerProvider } from "./local/balancer-provider";
import { localHostProvider } from "./local/host-provider";
import { localMachineProvider } from "./local/machine-provider";
import { serverIdentityProvider } from "./server-identity-provider";

export const container = explained(containerProvider);
export const localBalancer = explained(localBalancerProvider);
export const localHost = explained(localHostProvider);
export const localMachine = explained(localMachineProvider);
export const dataDiskRecord = explained(dataDiskRecordProvider);
export const serverIdentity = explained(serverIdentityProvider);
