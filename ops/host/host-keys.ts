import { HostKeyError } from "../errors";
import { fingerprintOf } from "../keys/public-key";

/** A host key that is trusted, `type base64`. */
export interface PinnedKey {
  type: string;
  blob: string;
}

/** Reads `type base64` lines, such as an inventory has them. */
export function parsePinnedKeys(lines: readonly string[]): PinnedKey[] {
  return lines.map((line) => {
    const [type = "", blob = ""] = line.trim().split(/\s+/);
    return { type, blob };
  });
}

/**
 * Signature algorithms to offer: only those of pinned keys. Otherwise the server would choose its favourite type and
 * show a key that was never pinned.
 */
export function hostKeyAlgorithms(keys: readonly PinnedKey[]): string[] {
  const algorithms = keys.flatMap(({ type }) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]));
  return [...new Set(algorithms)];
}

export function isPinned(keys: readonly PinnedKey[], presented: Buffer): boolean {
  const blob = presented.toString("base64");
  return keys.some((key) => key.blob === blob);
}

/** The server showed `presented`; undefined when it has no key of a pinned type at all. */
export function hostKeyError(server: string, keys: readonly PinnedKey[], presented: Buffer | undefined): HostKeyError {
  const expected = keys.map(({ blob }) => fingerprintOf(blob));
  const found = presented === undefined ? "no key of that type" : fingerprintOf(presented.toString("base64"));
  return new HostKeyError(
    `${server} shows another host key: expected ${expected.join(" or ")}, got ${found}`,
    { expected, presented: found },
    {
      server,
      remedy:
        "Somebody may be listening, or the server came up without its data disk, which holds its key. Find out which\n" +
        "before anything else. The pinned key is in the stack:\n  pulumi stack output inventory",
    },
  );
}
