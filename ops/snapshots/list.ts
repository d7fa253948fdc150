import type { SnapshotSummary } from "../containers/container";
import { describeSnapshot } from "../containers/inspect";
import { readOwn } from "../containers/own-container";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";

/** A person's snapshots, oldest first. @throws NotFoundError */
export async function listSnapshots(
  server: Server,
  user: string,
  options?: RequestOptions,
): Promise<SnapshotSummary[]> {
  const record = await readOwn(server, user, options);
  const snapshots = await server.incus.instances.snapshots(record.name).list(options);
  return snapshots.map(describeSnapshot).sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}
