import { recordOperation } from "../audit/record-operation";
import { readOwn } from "../containers/own-container";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { findSnapshot } from "./find";

/** Forgets a snapshot; the person's disk stays as it is. @throws NotFoundError */
export async function deleteSnapshot(
  server: Server,
  user: string,
  name: string,
  options?: RequestOptions,
): Promise<void> {
  return recordOperation(server, { operation: "snapshot delete", user, detail: name }, async () => {
    const record = await readOwn(server, user, options);
    await findSnapshot(server, record, name, options);
    await server.incus.instances.snapshots(record.name).delete(name, options);
  });
}
