import { type Cidr, overlap, parseAddress, parseCidr, sizeOf } from "../../components/cidr";
import { nameOf, type Resource, types } from "./resource";

/** What the rules cannot read from the resources, and whoever checks them may say. */
export interface Told {
  /** People with a jump account: none of them may be an administrator's name on Google. */
  jumpUsers?: string[];
  /** SSH may be open to everybody: asked for in the settings. */
  sshFromEverywhere?: boolean;
  /** No snapshots are wanted. */
  snapshotsOff?: boolean;
  /** Servers, by their name in the stack, that the balancer passes by. */
  outOfBalancer?: string[];
  /** The resources before this change: what they are may only grow. */
  before?: Resource[];
}

/** The resources that are checked together, and how they find each other. */
export class Fleet {
  private readonly types = new Map<string, Resource[]>();
  private readonly names: Map<string, Resource>;
  private readonly attached: Set<string>;

  constructor(
    readonly resources: readonly Resource[],
    readonly told: Told = {},
  ) {
    for (const one of resources) this.types.set(one.type, [...(this.types.get(one.type) ?? []), one]);
    // Of two with one name the first is meant: that there are two is a matter of its own.
    this.names = new Map([...resources].reverse().map((one) => [`${one.type} ${one.inputs.name}`, one]));
    const disks = this.byType(types.instance).flatMap(({ inputs }) => list(inputs.attachedDisks));
    this.attached = new Set(disks.map(({ source }) => nameOf(source)));
  }

  byType(type: string): readonly Resource[] {
    return this.types.get(type) ?? [];
  }

  /** The one that a self link, an id or a name means. */
  find(type: string, reference: unknown): Resource | undefined {
    return this.names.get(`${type} ${nameOf(reference)}`);
  }

  /** Whether a server keeps its data there: attached, not booted from. */
  isDataDisk({ inputs }: Resource): boolean {
    return this.attached.has(inputs.name);
  }

  hasBalancer(): boolean {
    return this.byType(types.forwardingRule).length > 0;
  }

  subnetOf(instance: Resource): Resource | undefined {
    return this.find(types.subnet, nic(instance).subnetwork);
  }

  /** The name of the network that a server's first interface is in. */
  networkOf(instance: Resource): string {
    return nameOf(nic(instance).network ?? this.subnetOf(instance)?.inputs.network);
  }
}

/** The first network interface: servers have one. */
export function nic(instance: Resource): Record<string, any> {
  return list(instance.inputs.networkInterfaces)[0] ?? {};
}

/** The address that a server is reached by from outside. */
export function natIp(instance: Resource): string | undefined {
  return list(nic(instance).accessConfigs)[0]?.natIp;
}

export function isSpot({ inputs }: Resource): boolean {
  return inputs.scheduling?.provisioningModel === "SPOT" || inputs.scheduling?.preemptible === true;
}

export function list<T = any>(value: T[] | undefined): T[] {
  return value ?? [];
}

/** What is there more than once. */
export function repeated<T>(values: T[]): T[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

export function contains(range: Cidr, address: unknown): boolean {
  const number = typeof address === "string" ? parseAddress(address) : undefined;
  return number !== undefined && number >= range.base && number < range.base + sizeOf(range.prefix);
}

export function overlapping(a: unknown, b: unknown): boolean {
  const [one, other] = [parseCidr(String(a)), parseCidr(String(b))];
  return one !== undefined && other !== undefined && overlap(one, other);
}

export function between(value: unknown, low: number, high: number): boolean {
  return Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
}
