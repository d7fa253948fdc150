import { InvalidInputError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { memoryInUse } from "./memory-in-use";
import { assertFits } from "./prepare";
import type { ContainerRecord } from "./record";
import { formatBytes, parseSize, type Size } from "./size";

/** A quota below what is used blocks even stop and delete on some drivers: refuse it before anything is changed. */
export async function assertDiskCanBe(
  server: Server,
  { diskQuota, name }: Pick<ContainerRecord, "diskQuota" | "name">,
  wanted: Size,
  request?: RequestOptions,
): Promise<void> {
  if (wanted.text === diskQuota) return;
  const before = diskQuota === "" ? Infinity : parseSize(diskQuota, "disk quota").bytes;
  if (wanted.bytes > before) {
    assertFits({ diskQuota: wanted }, await server.helper({ op: "server.status" }, request), server.name);
    return;
  }
  const { disk } = await server.incus.instances.state(name, request);
  const used = disk?.["root"]?.usage ?? 0;
  if (used <= wanted.bytes) return;
  throw new InvalidInputError(`${name} uses ${formatBytes(used)} of disk; its quota cannot become ${wanted.text}`, {
    server: server.name,
    remedy: "Nothing was changed. Give a larger quota, or delete files in the container first.",
  });
}

/** Below what its programs hold, the kernel would end some of them. Caches do not count: those it gives back. */
export async function assertMemoryCanBe(
  server: Server,
  { memory, name }: Pick<ContainerRecord, "memory" | "name">,
  wanted: Size,
  request?: RequestOptions,
): Promise<void> {
  if (memory !== "" && wanted.bytes >= parseSize(memory, "memory").bytes) return;
  const state = await server.incus.instances.state(name, request);
  const used = await memoryInUse(server, name, state, request);
  if (used <= wanted.bytes) return;
  throw new InvalidInputError(`the programs in ${name} hold ${formatBytes(used)} of memory, more than ${wanted.text}`, {
    server: server.name,
    remedy: "Nothing was changed. Give more memory, or end programs in the container first.",
  });
}

/** Below what there is already, it could start none until many have ended: not even a shell to end them from. */
export async function assertProcessesCanBe(
  server: Server,
  { processes, name }: Pick<ContainerRecord, "processes" | "name">,
  wanted: number,
  request?: RequestOptions,
): Promise<void> {
  if (wanted >= processes && processes > 0) return;
  const used = (await server.incus.instances.state(name, request)).processes;
  if (used <= wanted) return;
  throw new InvalidInputError(`${name} has ${used} processes, more than ${wanted}`, {
    server: server.name,
    remedy: "Nothing was changed. Allow more processes, or end some in the container first.",
  });
}
