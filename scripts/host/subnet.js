"use strict";

const { createHash } = require("node:crypto");

/**
 * Which /24 the local machines get. Pure.
 *
 * @typedef {{dst?: string, dev?: string, gateway?: string}} Route an entry of `ip -j route show table all`
 * @typedef {{ifname?: string, addr_info?: {family?: string, local?: string, prefixlen?: number}[]}} Link
 *   an entry of `ip -j address`
 * @typedef {{first: number, last: number}} Range addresses as numbers
 */

const preferred = subnets("10.88", 0, 255);

/** In this order. None of them overlaps 10.0.3.0 to 10.0.242.255, where the people's containers live. */
const candidates = [...preferred, ...subnets("172.31", 0, 255), ...subnets("192.168", 64, 127)];

/**
 * The candidates, beginning at another one for each fleet: two that are made in the same moment do not see each other yet.
 * @param {string} fleet what tells it from others
 */
function candidatesFor(fleet) {
  const first = createHash("sha256").update(fleet).digest()[0] ?? 0;
  return [...preferred.slice(first), ...preferred.slice(0, first), ...candidates.slice(preferred.length)];
}

/**
 * The first candidate that nothing on the host uses: no route in any table, no address of any interface.
 * @param {Route[]} routes
 * @param {Link[]} links
 * @param {readonly string[]} [from]
 * @returns {string | undefined} undefined when every candidate is taken
 */
function pickSubnet(routes, links, from = candidates) {
  return from.find((subnet) => usersOf(subnet, routes, links).length === 0);
}

/**
 * Who uses a subnet already: names of interfaces, or the routes' own words.
 * @param {string} subnet @param {Route[]} routes @param {Link[]} links
 * @returns {string[]}
 */
function usersOf(subnet, routes, links) {
  const wanted = rangeOf(subnet);
  if (wanted === undefined) return [];
  const users = new Set();
  for (const { dst, dev } of routes) {
    const range = dst === undefined ? undefined : rangeOf(dst);
    if (range && !isDefault(range) && overlap(range, wanted)) users.add(dev ?? `route ${dst}`);
  }
  for (const { ifname, addr_info: addresses } of links) {
    for (const { family, local, prefixlen } of addresses ?? []) {
      const range = family === "inet" ? rangeOf(`${local}/${prefixlen}`) : undefined;
      if (range && overlap(range, wanted)) users.add(ifname ?? `${local}`);
    }
  }
  return [...users];
}

/** Everything at once is no use of a subnet: the default route, and its halves that VPNs set. @param {Range} range */
function isDefault({ first, last }) {
  return last - first >= 2 ** 31 - 1;
}

/** @param {Range} a @param {Range} b */
function overlap(a, b) {
  return a.first <= b.last && b.first <= a.last;
}

/** @param {string} text an IPv4 address, with or without prefix length @returns {Range | undefined} */
function rangeOf(text) {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  if (!match) return undefined;
  const address = match.slice(1, 5).reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(match[5] ?? 32));
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1 };
}

/** @param {string} prefix @param {number} from @param {number} to */
function subnets(prefix, from, to) {
  return Array.from({ length: to - from + 1 }, (_, index) => `${prefix}.${from + index}.0/24`);
}

module.exports = { candidates, candidatesFor, pickSubnet, usersOf };
