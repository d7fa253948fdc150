import { recordOperation } from "../audit/record-operation";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { changeKeys, fingerprintsOf, type KeyChange } from "./change";
import type { PublicKey } from "./public-key";

/** Lets more keys in. One that is there already, whatever its comment says, stays as it is. @throws as changeKeys */
export async function addKeys(
  server: Server,
  user: string,
  keys: readonly PublicKey[],
  options?: RequestOptions,
): Promise<KeyChange> {
  return recordOperation(server, { operation: "keys add", user, detail: fingerprintsOf(keys) }, () =>
    changeKeys(server, user, (current) => [...current, ...keys], options),
  );
}
