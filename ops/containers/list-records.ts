import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { readRecord, type ContainerRecord } from "./record";

/** What a server's Incus says about everybody of ours, with whole keys, by user name. One request; nobody is probed. */
export async function listRecords(server: Server, options?: RequestOptions): Promise<ContainerRecord[]> {
  const instances = await server.incus.instances.list(options);
  return instances.flatMap((instance) => readRecord(instance) ?? []).sort((a, b) => a.user.localeCompare(b.user));
}
