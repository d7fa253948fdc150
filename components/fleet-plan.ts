import { InvalidInputError } from "../ops/errors";
import { containerRange, containerSubnet, formatAddress, isPrivate, overlap, parseCidr } from "./cidr";
import { type FleetNames, fleetNames, type ServerNames } from "./naming";

/** What a fleet on Google Compute Engine is planned from. */
export interface FleetWishes {
  stack: string;
  /** Explicit ids, 1 to 240: removing one touches no other. */
  servers: number[];
  /** Where the servers and their disks are, `us-central1-a`. */
  zone: string;
  machineType: string;
  spot: boolean;
  /** Range of the servers' own addresses, /16 to /24, private, outside 10.0.0.0/16. */
  subnet: string;
  /** GiB, at least 10. */
  dataDiskSizeGb: number;
  /** Servers whose data disk is another one than the one they were born with. */
  dataDisks: DataDiskWish[];
}

export interface DataDiskWish {
  server: number;
  /** 2 after the first restore, and so on: every restore is a disk of its own, the old one stays. Default 1. */
  generation?: number;
  /** Snapshot that a new disk is filled from, `global/snapshots/NAME`. */
  snapshot?: string;
  /** The disk is in the project already: take it, do not make it. */
  adopt?: boolean;
}

export interface DataDiskPlan {
  /** Name in the Google project. */
  name: string;
  /** Name in the stack; another one for every generation, so that no disk ever replaces another. */
  logicalName: string;
  sizeGb: number;
  snapshot?: string;
  adopt: boolean;
}

export interface ServerPlan {
  id: number;
  names: ServerNames;
  zone: string;
  region: string;
  machineType: string;
  spot: boolean;
  /** Static address inside the VPC; .11 for server 1 of a /24. */
  internalAddress: string;
  containerSubnet: string;
  dataDisk: DataDiskPlan;
}

export interface FleetPlan {
  names: FleetNames;
  zone: string;
  region: string;
  subnet: string;
  servers: ServerPlan[];
}

/**
 * Who is called what, where it is and which addresses it has. What is planned for a server depends on its own id and on
 * nothing else in the list.
 * @throws InvalidInputError naming the key and the value.
 */
export function planFleet(wishes: FleetWishes): FleetPlan {
  const names = fleetNames(wishes.stack);
  const base = checkedSubnet(wishes.subnet);
  const region = regionOf(wishes.zone);
  refuseStrangeDisks(wishes);
  const servers = wishes.servers.map((id) => ({
    id,
    names: names.server(id),
    zone: wishes.zone,
    region,
    machineType: wishes.machineType,
    spot: wishes.spot,
    internalAddress: formatAddress(base + 10 + id),
    containerSubnet: containerSubnet(id),
    dataDisk: planDisk(id, names.server(id), wishes),
  }));
  return { names, zone: wishes.zone, region, subnet: wishes.subnet, servers };
}

/** `us-central1` of `us-central1-a`. */
export function regionOf(zone: string): string {
  const region = /^([a-z]+-[a-z]+\d+)-[a-z]$/.exec(zone)?.[1];
  if (region !== undefined) return region;
  throw new InvalidInputError(`containarium:zone: ${JSON.stringify(zone)} is no zone`, {
    remedy: "A zone is a region and a letter, such as us-central1-a.",
  });
}

function planDisk(id: number, names: ServerNames, { dataDiskSizeGb, dataDisks }: FleetWishes): DataDiskPlan {
  const { generation = 1, snapshot, adopt = false } = dataDisks.find(({ server }) => server === id) ?? {};
  return {
    name: names.dataDisk(generation),
    logicalName: generation === 1 ? `${names.server}-data` : `${names.server}-data-g${generation}`,
    sizeGb: dataDiskSizeGb,
    snapshot,
    adopt,
  };
}

function checkedSubnet(text: string): number {
  const range = parseCidr(text);
  const problem =
    range === undefined
      ? "is no range, or has host bits set"
      : range.prefix < 16 || range.prefix > 24
        ? "must be a /16 to a /24"
        : !isPrivate(range)
          ? "is not private"
          : overlap(range, parseCidr(containerRange)!)
            ? `overlaps ${containerRange}, where the containers are`
            : undefined;
  if (range !== undefined && problem === undefined) return range.base;
  throw new InvalidInputError(`containarium:subnet: ${JSON.stringify(text)} ${problem}`, {
    remedy: "Take a private range that nothing else in the network uses, such as 10.64.0.0/24.",
  });
}

function refuseStrangeDisks({ servers, dataDisks }: FleetWishes): void {
  const refuse = (problem: string, remedy: string) => {
    throw new InvalidInputError(`containarium:dataDisks: ${problem}`, { remedy });
  };
  for (const [index, { server, generation = 1, snapshot, adopt = false }] of dataDisks.entries()) {
    if (!servers.includes(server)) refuse(`there is no server ${server}`, `Servers are: ${servers.join(", ")}.`);
    if (dataDisks.findIndex((other) => other.server === server) !== index)
      refuse(`server ${server} is there twice`, "A server has one data disk: keep one of them.");
    if (!Number.isInteger(generation) || generation < 1 || generation > 99)
      refuse(`generation ${generation} of server ${server}`, "Give a number from 1 to 99.");
    // On a disk that exists the snapshot would mean: destroy it, and make another.
    if (snapshot !== undefined && generation === 1)
      refuse(`server ${server} has a snapshot and generation 1`, "A restore makes a new disk: give it generation 2 or more."); // prettier-ignore
    if (snapshot !== undefined && adopt)
      refuse(`server ${server} has a snapshot and adopt`, "A disk is either made from a snapshot, or there already.");
  }
}
