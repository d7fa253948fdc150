import { createHash } from "node:crypto";

/** What Google accepts as the name of an instance, disk, address, network, rule, ... */
export const gceName = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Room for what is added to a fleet's name: `-jump-240-data-g99` and the like. */
const fleetNameLimit = 40;
const accountIdLimit = 30;

/**
 * What the things of one stack's fleet are called in the Google project. Every name carries the stack's, so that several
 * fleets live side by side in one project. Explicit names, never the engine's random ones: a disk that is kept is found
 * again by its name, and one that would be replaced collides with itself instead.
 */
export interface FleetNames {
  /** Prefix of all names, also the value of the label `fleet` and the network tag of the servers. */
  fleet: string;
  network: string;
  subnet: string;
  firewall(purpose: "ssh" | "fleet" | "peers" | "health"): string;
  /** A policy of its own for every schedule: one that is in use can be neither changed nor deleted. */
  snapshotPolicy(schedule: { startTime: string; retentionDays: number }): string;
  /** Service account (id, at most 30 characters) and role (id) that start stopped servers. */
  starterAccount: string;
  starterRole: string;
  balancer(part: "address" | "group" | "ready" | "backend" | "rule"): string;
  server(id: number): ServerNames;
}

export interface ServerNames {
  /** `jump-2`: what people and the inventory call it. */
  server: string;
  instance: string;
  externalAddress: string;
  internalAddress: string;
  route: string;
  starter: string;
  /** Generation 1 is the disk that the server was born with; each restore from a snapshot is one more. */
  dataDisk(generation: number): string;
}

export function fleetNames(stack: string): FleetNames {
  const fleet = bounded(`containarium-${plain(stack)}`, fleetNameLimit, stack);
  return {
    fleet,
    network: fleet,
    subnet: fleet,
    firewall: (purpose) => `${fleet}-allow-${purpose}`,
    snapshotPolicy: ({ startTime, retentionDays }) => `${fleet}-daily-${startTime.replace(":", "")}-${retentionDays}d`,
    starterAccount: bounded(`${fleet}-starter`, accountIdLimit, stack),
    starterRole: `${fleet}_starter`.replaceAll("-", "_"),
    balancer: (part) => `${fleet}-ssh-${part}`,
    server: (id) => serverNames(fleet, id),
  };
}

/** `jump-2` for id 2. */
export function serverName(id: number): string {
  return `jump-${id}`;
}

function serverNames(fleet: string, id: number): ServerNames {
  const instance = `${fleet}-${serverName(id)}`;
  return {
    server: serverName(id),
    instance,
    externalAddress: `${instance}-ext`,
    internalAddress: `${instance}-int`,
    route: `${instance}-containers`,
    starter: `${instance}-starter`,
    dataDisk: (generation) => (generation === 1 ? `${instance}-data` : `${instance}-data-g${generation}`),
  };
}

/** Stack names may hold capitals, dots and underscores; names on Google may not. */
function plain(stack: string): string {
  const name = stack.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, ""); // prettier-ignore
  return name === stack ? name : `${name}-${digest(stack)}`;
}

/** Too long a name is cut, and ends in a hash, so that two long names stay two. */
function bounded(name: string, limit: number, unique: string): string {
  return name.length <= limit ? name : `${name.slice(0, limit - 7).replace(/-+$/, "")}-${digest(unique)}`;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 6);
}
