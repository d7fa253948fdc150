import { ConflictError } from "../errors";
import type { Home } from "../host/helper-protocol";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";

export function isElsewhere(home: Home | undefined): home is string {
  return home !== undefined && home !== "here";
}

/**
 * Refuses to make a container for somebody who has one on another server: two homes under one name would make every
 * server choose between them. What this server heard may be old, so it asks again first.
 *
 * @throws ConflictError naming the other server
 */
export async function refuseElsewhere(
  server: Server,
  user: string,
  home: Home | undefined,
  request?: RequestOptions,
): Promise<void> {
  if (!isElsewhere(home)) return;
  await server.helper({ op: "peers.pull" }, request);
  const { home: now } = await server.helper({ op: "account.check", user }, request);
  if (!isElsewhere(now)) return;
  throw new ConflictError(`${user} lives on ${now}, as ${server.name} heard last`, {
    server: server.name,
    remedy: `Nothing was changed. If ${now} is gone for good, make ${user} with the stack, which asks all servers:\n  containarium-ops create ${user} --ssh-key FILE --server ${server.name}`,
  });
}
