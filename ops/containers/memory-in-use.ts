import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { IncusError } from "../incus/incus-error";
import type { InstanceState } from "../incus/types";

/**
 * Bytes that a container's programs hold. Incus' own number counts caches, which the kernel gives back; the container's
 * view of /proc/meminfo, which Incus makes, tells them apart.
 */
export async function memoryInUse(
  server: Server,
  name: string,
  { status, memory }: InstanceState,
  request?: RequestOptions,
): Promise<number> {
  if (status !== "Running") return 0;
  try {
    const { stdout } = await server.incus.instances.execOutput(name, ["cat", "/proc/meminfo"], request);
    const kibibytes = (field: string) => Number(new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(stdout)?.[1]);
    const used = (kibibytes("MemTotal") - kibibytes("MemAvailable")) * 1024;
    return Number.isNaN(used) ? memory.usage : Math.min(used, memory.usage);
  } catch (error) {
    if (error instanceof IncusError) return memory.usage;
    throw error;
  }
}
