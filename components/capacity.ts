import { serverName } from "./naming";

/** Memory of the machine types that a fleet is usually made of, GiB. */
export const machineMemoryGib = {
  "e2-small": 2,
  "e2-medium": 4,
  "e2-standard-2": 8,
  "e2-standard-4": 16,
  "e2-standard-8": 32,
  "e2-standard-16": 64,
  "n2-standard-2": 8,
  "n2-standard-4": 16,
  "n2-standard-8": 32,
  "n2-standard-16": 64,
  "n2-highmem-2": 16,
  "n2-highmem-4": 32,
  "n2-highmem-8": 64,
  "n2-highmem-16": 128,
  "n2d-standard-2": 8,
  "n2d-standard-4": 16,
  "n2d-standard-8": 32,
  "n2d-standard-16": 64,
} as const;

export type KnownMachineType = keyof typeof machineMemoryGib;

/** How many people a server carries: all at work at once, as usual, mostly reading and editing. */
export interface People {
  busy: number;
  typical: number;
  quiet: number;
}

/**
 * The original's experience, in people per GiB: 40-60 on 32 GiB, 20-30 on 16, 10-15 on 8. People share memory that they
 * do not use; it is a rule of thumb, not a limit.
 */
const peoplePerGib: People = { busy: 40 / 32, typical: 50 / 32, quiet: 60 / 32 };

/** Container addresses of one server, 10.0.x.10 to .199 (ops/containers/address.ts). */
export const addressesPerServer = 190;

/** @returns undefined for a machine type that the table does not know. */
export function peoplePerServer(machineType: string): People | undefined {
  if (!isKnown(machineType)) return undefined;
  const memory = machineMemoryGib[machineType];
  const people = (perGib: number) => Math.min(addressesPerServer, Math.floor(memory * perGib));
  return { busy: people(peoplePerGib.busy), typical: people(peoplePerGib.typical), quiet: people(peoplePerGib.quiet) };
}

/** What the stack's output `capacity` says. `null`: the machine type is in no table of ours. */
export function fleetCapacity(machineType: string, servers: number[]) {
  const perServer = peoplePerServer(machineType) ?? null;
  const all = (people: number) => people * servers.length;
  return {
    machineType,
    servers: servers.map(serverName),
    peoplePerServer: perServer,
    people: perServer && { busy: all(perServer.busy), typical: all(perServer.typical), quiet: all(perServer.quiet) },
  };
}

function isKnown(machineType: string): machineType is KnownMachineType {
  return Object.hasOwn(machineMemoryGib, machineType);
}
