import type { ContainerRecord } from "../containers/record";
import { NotFoundError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Snapshot } from "../incus/types";

/** @throws NotFoundError */
export async function findSnapshot(
  server: Server,
  { user, name: instance }: Pick<ContainerRecord, "user" | "name">,
  name: string,
  options?: RequestOptions,
): Promise<Snapshot> {
  const all = await server.incus.instances.snapshots(instance).list(options);
  const found = all.find((snapshot) => snapshot.name === name);
  if (found !== undefined) return found;
  throw new NotFoundError(`${user} has no snapshot ${name}`, {
    server: server.name,
    remedy: `See which there are:\n  containarium-ops snapshot list ${user}`,
  });
}
