import type { Config, Devices } from "../incus/types";
import { renderSchedule } from "../snapshots/schedule-text";
import type { ResolvedSpec } from "./spec";

/** Where the server keeps containers; startup makes both. */
export const NETWORK = "incusbr0";
export const POOL = "default";

/** Name of a setting of ours in an instance's config. Changing one needs a new schema number. */
export const KEY = {
  schema: "user.containarium.schema",
  user: "user.containarium.user",
  keys: "user.containarium.keys",
  /** All keys that may still open something, while a change of keys is on its way to both hops; gone once it is there. */
  staleKeys: "user.containarium.stale-keys",
  state: "user.containarium.state",
  createdAt: "user.containarium.created-at",
  createdBy: "user.containarium.created-by",
  image: "user.containarium.image",
  docker: "user.containarium.docker",
  hostKeys: "user.containarium.host-keys",
  /** Which run of `create` is at work; the last one to write it wins. Gone once the state is `ready`. */
  run: "user.containarium.run",
  /** Where it is on its way to, and how it is to be there (ops/moves/mark.ts). */
  move: "user.containarium.move",
  /** The server that it came from, while something of it may be there. */
  movedFrom: "user.containarium.moved-from",
  /** Whose copy this is to become. Without `user` it is nobody's yet: no list, no account, no other server knows it. */
  arriving: "user.containarium.arriving",
} as const;

export const SCHEMA = "1";

/** What a new instance is told beside its spec. */
export interface Making {
  image: string;
  address: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  createdBy: string;
  run: string;
}

/** The whole config of an instance that is being made. */
export function renderConfig(spec: ResolvedSpec, making: Making): Config {
  return {
    ...renderIdentity(spec),
    ...renderLimits(spec),
    ...Object.fromEntries(Object.entries(renderSchedule(spec)).filter(([, value]) => value !== "")),
    [KEY.state]: "creating",
    [KEY.run]: making.run,
    [KEY.createdAt]: making.createdAt,
    [KEY.createdBy]: making.createdBy,
    [KEY.image]: making.image,
  };
}

/** Who it belongs to and what is in it. */
export function renderIdentity(spec: ResolvedSpec): Config {
  return {
    [KEY.schema]: SCHEMA,
    [KEY.user]: spec.user,
    [KEY.keys]: JSON.stringify(spec.keys.map(({ line }) => line)),
    [KEY.docker]: String(spec.docker),
  };
}

/** What it may use, and its walls. Always unprivileged, with a user-id range of its own. */
export function renderLimits(spec: ResolvedSpec): Config {
  return {
    "boot.autostart": String(spec.autostart),
    "limits.cpu.allowance": renderCpu(spec.cpu),
    "limits.memory": spec.memory.text,
    "limits.processes": String(spec.processes),
    "security.privileged": "false",
    "security.idmap.isolated": "true",
    // Docker needs namespaces of its own, and device nodes and attributes for overlay2's whiteouts.
    "security.nesting": String(spec.docker),
    "security.syscalls.intercept.mknod": String(spec.docker),
    "security.syscalls.intercept.setxattr": String(spec.docker),
  };
}

/** Network and disk. The address is fixed, and the filters keep the container from speaking as anybody else. */
export function renderDevices(spec: Pick<ResolvedSpec, "diskQuota">, address: string): Devices {
  return {
    eth0: {
      type: "nic",
      name: "eth0",
      network: NETWORK,
      "ipv4.address": address,
      "security.mac_filtering": "true",
      "security.ipv4_filtering": "true",
      "security.ipv6_filtering": "true",
      // Bridge ACLs alone do not keep two containers of one bridge apart.
      "security.port_isolation": "true",
    },
    root: { type: "disk", path: "/", pool: POOL, size: spec.diskQuota.text },
  };
}

/** `limits.cpu=N` pins cores; a share of time throttles. 0.5 cores are `50ms/100ms`. */
export function renderCpu(cores: number): string {
  return `${Math.round(cores * 100)}ms/100ms`;
}

/** Cores of `<n>ms/100ms`; 0 when it says something else. */
export function parseCpuAllowance(text: string | undefined): number {
  const match = /^(\d+)ms\/100ms$/.exec(text ?? "");
  return match === null ? 0 : Number(match[1]) / 100;
}
