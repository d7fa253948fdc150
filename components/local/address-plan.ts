import { createHash } from "node:crypto";

export { containerSubnet } from "../cidr";

/**
 * Who has which address in the local fleet, and what its things on the host are called. Pure.
 *
 * The stack `local` owns the plain names (`jump-1`); every other stack's names carry the stack's, so that several
 * fleets live side by side on one host.
 */
export interface LocalNames {
  /** Bridge on which the machines live; an interface name, at most 15 characters. */
  network: string;
  /** Storage pool of the machines' boot disks. */
  pool: string;
  machine(server: string): string;
  /** The system container that balances. */
  balancer: string;
}

export function localNames(stack: string): LocalNames {
  const own = stack === "local";
  return {
    network: own ? "containarium0" : bridgeName(stack),
    pool: own ? "containarium" : `containarium-${stack}`,
    machine: (server) => (own ? server : `${stack}-${server}`),
    balancer: own ? "balancer" : `${stack}-balancer`,
  };
}

/** Interface names end at 15 characters: a longer stack name gives its hash. */
function bridgeName(stack: string): string {
  const name = `ctm-${stack}`;
  return name.length <= 15 ? name : `ctm-${createHash("sha256").update(stack).digest("hex").slice(0, 11)}`;
}

/** Address of server `id` in the machines' subnet: .11 for server 1. The first ten are the host's own. */
export function machineAddress(subnet: string, id: number): string {
  return hostAddress(subnet, 10 + id);
}

/** Address of the balancer, whether or not there is one: servers know it, and are not touched when it comes or goes. */
export function balancerAddress(subnet: string): string {
  return hostAddress(subnet, 5);
}

/** The host's own address on the bridge, with prefix length. */
export function bridgeAddress(subnet: string): string {
  return `${hostAddress(subnet, 1)}/24`;
}

function hostAddress(subnet: string, host: number): string {
  return `${subnet.split(".").slice(0, 3).join(".")}.${host}`;
}
