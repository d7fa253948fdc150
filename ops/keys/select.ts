import { ContainariumError, InvalidInputError, NotFoundError } from "../errors";
import type { PublicKey } from "./public-key";

/** How somebody names a key: by its fingerprint, by its comment, or by showing it. */
export type KeySelector = { fingerprint: string } | { comment: string } | { key: PublicKey };

/**
 * Reads `SHA256:...` as a fingerprint and everything else as a comment.
 *
 * @throws InvalidInputError
 */
export function parseKeySelector(text: string, what = "key"): KeySelector {
  if (/^(SHA256:)[A-Za-z0-9+/]{43}=?$/.test(text)) return { fingerprint: text.replace(/=$/, "") };
  if (/^(SHA256|MD5|SHA1|SHA512):/i.test(text)) {
    throw new InvalidInputError(`${what} ${JSON.stringify(text)} is not a whole fingerprint`, {
      remedy: "It is SHA256: and 43 characters, as  ssh-keygen -lf FILE  prints it.",
    });
  }
  if (text.trim() === "") throw new InvalidInputError(`${what} is empty`, { remedy: "Name a key." });
  return { comment: text.trim() };
}

/**
 * The one key that is meant.
 *
 * @throws NotFoundError; InvalidInputError when several keys have that comment
 */
export function selectKey(keys: readonly PublicKey[], selector: KeySelector, user: string): PublicKey {
  const found = keys.filter((key) => matches(key, selector));
  if (found.length === 1) return found[0]!;
  const what = describeSelector(selector);
  const listing = `See which there are:\n  containarium-ops keys list ${user}`;
  if (found.length === 0) throw new NotFoundError(`${user} has no key ${what}`, { remedy: listing });
  const each = found.map(({ fingerprint }) => fingerprint).join("\n");
  throw new InvalidInputError(`${found.length} keys of ${user} have the comment ${what}`, {
    remedy: `Nothing was changed. Name one of them by its fingerprint:\n${each}`,
  });
}

function matches(key: PublicKey, selector: KeySelector): boolean {
  if ("fingerprint" in selector) return key.fingerprint === selector.fingerprint;
  return "key" in selector ? key.blob === selector.key.blob : key.comment === selector.comment;
}

function describeSelector(selector: KeySelector): string {
  if ("fingerprint" in selector) return selector.fingerprint;
  return "key" in selector ? selector.key.fingerprint : JSON.stringify(selector.comment);
}

/** Nobody is locked out by mistake. */
export function refuseNone(wanted: readonly PublicKey[], user: string, again: string): void {
  if (wanted.length > 0) return;
  throw new ContainariumError("invalid", `this is the last key of ${user}, who could not log in any more`, {
    remedy: `Nothing was changed. Give another key first, or lock them out on purpose:\n  ${again}`,
  });
}
