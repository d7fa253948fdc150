import { ConflictError } from "../../ops/errors";

/** Marks what is ours among this host's own instances, networks and pools. */
export const ownerKey = "user.containarium.owner";

/** One checkout's stack: two checkouts with a stack of the same name do not take each other's machines. */
export function ownerOf(stack: string, projectDirectory: string): string {
  return `${stack}:${projectDirectory}`;
}

/** @throws ConflictError when `found` exists and is not `owner`'s. */
export function refuseForeign(
  what: string,
  found: { config: Record<string, string> } | undefined,
  owner: string,
): void {
  const actual = found?.config[ownerKey];
  if (found === undefined || actual === owner) return;
  throw new ConflictError(`this host has ${what} already; it belongs to ${actual ?? "somebody else"}`, {
    remedy:
      actual === undefined
        ? "Rename or remove it, then run this again."
        : `Bring that fleet down, in its own folder:  npm run quickstart:down`,
  });
}
