import { recordOperation } from "../audit/record-operation";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { changeKeys, without, type KeyChange } from "./change";
import { uniqueKeys, type PublicKey } from "./public-key";
import { refuseNone, selectKey, type KeySelector } from "./select";

export interface RemoveOptions extends RequestOptions {
  /** Also the last one: then nobody can log in there. Default false. */
  force?: boolean;
  /** Keys that are known from elsewhere: naming one that is gone here already is no error. */
  alsoKnown?: readonly PublicKey[];
}

/**
 * Shuts keys out at both hops and cuts the person's live sessions.
 *
 * @throws NotFoundError for a key that they do not have; InvalidInputError when none would be left; else as changeKeys
 */
export async function removeKeys(
  server: Server,
  user: string,
  selectors: readonly KeySelector[],
  { force = false, alsoKnown = [], ...options }: RemoveOptions = {},
): Promise<KeyChange> {
  let unwanted: PublicKey[] = [];
  const plan = (current: PublicKey[], stale: PublicKey[]) => {
    const known = uniqueKeys([...current, ...stale, ...alsoKnown]);
    unwanted = selectors.map((selector) => selectKey(known, selector, user));
    const wanted = without(current, unwanted);
    const again = `containarium-ops keys remove ${user} --key ${unwanted[0]?.fingerprint ?? "KEY"} --force`;
    if (!force && wanted.length < current.length) refuseNone(wanted, user, again);
    return wanted;
  };
  const change = await recordOperation(server, { operation: "keys remove", user }, () =>
    changeKeys(server, user, plan, options),
  );
  return { ...change, removed: uniqueKeys([...change.removed, ...unwanted]) };
}
