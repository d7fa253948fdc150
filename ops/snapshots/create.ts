import { recordOperation } from "../audit/record-operation";
import type { SnapshotSummary } from "../containers/container";
import { readOwn } from "../containers/own-container";
import { ConflictError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { parseSnapshotName } from "./name";

export interface SnapshotOptions extends RequestOptions {
  /** ISO 8601; the server deletes it then. Default: it is kept. */
  expiresAt?: string;
}

/** Said in so many words: where nothing is said, Incus takes the expiry of the schedule (`snapshots.expiry`). */
const NEVER = "0001-01-01T00:00:00Z";

/**
 * Keeps a person's disk as it is now. Programs go on running.
 *
 * @throws ConflictError when the name is taken; NotFoundError
 */
export async function createSnapshot(
  server: Server,
  user: string,
  name: string,
  { expiresAt, ...options }: SnapshotOptions = {},
): Promise<SnapshotSummary> {
  parseSnapshotName(name);
  await recordOperation(server, { operation: "snapshot create", user, detail: name }, async () => {
    const record = await readOwn(server, user, options);
    const snapshots = server.incus.instances.snapshots(record.name);
    // A taken name is refused by Incus too, but in the words of its database.
    if ((await snapshots.list(options)).some((other) => other.name === name)) throw taken(user, name, server.name);
    await snapshots.create({ name, expires_at: expiresAt ?? NEVER }, options);
  });
  return { name, createdAt: new Date().toISOString(), ...(expiresAt !== undefined && { expiresAt }) };
}

function taken(user: string, name: string, server: string): ConflictError {
  return new ConflictError(`${user} has a snapshot ${name} already`, {
    server,
    remedy: `Choose another name, or delete it first:\n  containarium-ops snapshot delete ${user} ${name}`,
  });
}
