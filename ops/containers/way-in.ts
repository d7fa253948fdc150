import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { PublicKey } from "../keys/public-key";
import { writeAuthorizedKeys } from "./guest-files";
import type { ContainerRecord } from "./record";

/**
 * Lets exactly these keys in, at both hops: the container, then the jump account. Can be repeated. Without keys there is
 * no jump account either: nobody can use it, and the server knows no account without a key.
 */
export async function openWayIn(
  server: Server,
  { user, name, address }: Pick<ContainerRecord, "user" | "name" | "address">,
  keys: readonly PublicKey[],
  options?: RequestOptions,
): Promise<void> {
  const lines = keys.map(({ line }) => line);
  await writeAuthorizedKeys(server.incus, name, { user, keys: lines }, options);
  if (lines.length === 0) await server.helper({ op: "account.remove", user }, options);
  else await server.helper({ op: "account.put", user, keys: lines, target: address }, options);
}
