import { ConflictError } from "../errors";

/** Host parts for containers. 1 is the bridge; .200-.254 belong to DHCP, whose live leases would beat a static address. */
const FIRST = 10;
const LAST = 199;

/**
 * All addresses that containers may have in a subnet, lowest first.
 *
 * @param gateway the bridge's own address with prefix, for example `10.0.3.1/24`
 */
export function staticZone(gateway: string): string[] {
  const match = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}\/24$/.exec(gateway);
  if (match === null) throw new ConflictError(`the container network is not a /24: ${gateway}`);
  return Array.from({ length: LAST - FIRST + 1 }, (_, index) => `${match[1]}.${FIRST + index}`);
}

/**
 * The lowest address that nobody has; after a collision any free one, so that two runs that chose the same do not
 * choose the same again.
 *
 * @throws ConflictError when the server is full
 */
export function chooseAddress(
  gateway: string,
  used: Iterable<string>,
  { random }: { random?: () => number } = {},
): string {
  const taken = new Set(used);
  const free = staticZone(gateway).filter((address) => !taken.has(address));
  const chosen = free[random === undefined ? 0 : Math.floor(random() * free.length)];
  if (chosen === undefined) {
    throw new ConflictError(`the server is full: all ${LAST - FIRST + 1} container addresses are taken`, {
      remedy: "Delete a container that nobody needs, or choose another server.",
    });
  }
  return chosen;
}
