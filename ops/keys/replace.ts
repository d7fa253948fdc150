import { recordOperation } from "../audit/record-operation";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { changeKeys, fingerprintsOf, without, type KeyChange } from "./change";
import { uniqueKeys, type PublicKey } from "./public-key";
import { selectKey, type KeySelector } from "./select";

export interface ReplaceOptions extends RequestOptions {
  /** Which keys to replace. Default: all of them. */
  old?: readonly KeySelector[];
  /** Keys that are known from elsewhere: naming one that is gone here already is no error. */
  alsoKnown?: readonly PublicKey[];
}

/** New keys in the place of old ones, in one step. @throws as removeKeys */
export async function replaceKeys(
  server: Server,
  user: string,
  keys: readonly PublicKey[],
  { old, alsoKnown = [], ...options }: ReplaceOptions = {},
): Promise<KeyChange> {
  let unwanted: PublicKey[] = [];
  const plan = (current: PublicKey[], stale: PublicKey[]) => {
    const known = uniqueKeys([...current, ...stale, ...alsoKnown]);
    unwanted = without(old?.map((selector) => selectKey(known, selector, user)) ?? known, keys);
    return [...without(current, unwanted), ...keys];
  };
  const change = await recordOperation(server, { operation: "keys replace", user, detail: fingerprintsOf(keys) }, () =>
    changeKeys(server, user, plan, options),
  );
  return { ...change, removed: uniqueKeys([...change.removed, ...unwanted]) };
}
