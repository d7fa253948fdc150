import { isDeepStrictEqual } from "node:util";

import { overlap, parseCidr } from "../../../components/cidr";
import type { Properties, PropertyChange } from "./engine-protocol";
import { type Kind, types } from "./kinds";
import { changesBetween, pattern } from "./properties";

/** Pure: what has to happen so that a thing becomes what is asked for now. */
export function diffOf(
  type: string,
  kind: Kind,
  olds: Properties,
  news: Properties,
): { changes: PropertyChange[]; deleteBeforeReplace: boolean } {
  const changes = changesBetween(olds, news).map((change) => ({
    ...change,
    replace: isKept(kind, change.path) || isReplacing(type, change.path, olds, news),
  }));
  // Two cannot have one name at the same time: the provider knows, and makes room first.
  const [name] = kind.named;
  const sameName = isDeepStrictEqual(olds[name], news[name]);
  return { changes, deleteBeforeReplace: sameName && changes.some(({ replace }) => replace) };
}

function isKept({ keeps }: Kind, path: string): boolean {
  const below = (property: string) => new RegExp(`^${escaped(property)}($|[.[])`).test(pattern(path));
  return Array.isArray(keeps) ? keeps.some(below) : !keeps.allBut.some(below);
}

/** Where the values decide. */
function isReplacing(type: string, path: string, olds: Properties, news: Properties): boolean {
  if (type === types.disk && path === "size") return Number(news.size) < Number(olds.size);
  if (type === types.subnetwork && path === "ipCidrRange") return !contains(news.ipCidrRange, olds.ipCidrRange);
  // One network interface more or less is another machine.
  return type === types.instance && /^networkInterfaces\[\d+\]$/.test(path);
}

function contains(outer: unknown, inner: unknown): boolean {
  const [a, b] = [parseCidr(String(outer)), parseCidr(String(inner))];
  return a !== undefined && b !== undefined && a.prefix <= b.prefix && overlap(a, b);
}

function escaped(text: string): string {
  return text.replaceAll(/[.[\]]/g, "\\$&");
}
