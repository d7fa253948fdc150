import { ConflictError } from "../errors";
import type { ServerStatus } from "../host/helper-protocol";
import { formatBytes } from "./size";

/**
 * What one container takes of a kernel limit, and what the server itself does. [M] 11 inotify instances: with the stock
 * 128, the tenth container's init dies after its start was reported as done. Processes: Debian with sshd and Docker.
 */
const KERNEL_NEEDS = [
  { limit: "fs.inotify.max_user_instances", each: 11, server: 20 },
  { limit: "kernel.keys.maxkeys", each: 1, server: 20 },
] as const;
const TASK_LIMITS = ["kernel.pid_max", "kernel.threads-max"] as const;
const TASKS_EACH = 200;

/** Above it the file system slows down, and every container of the server suffers from what one of them writes. */
const FULLEST = 0.9;
const LEAST_FREE = 2 ** 30;

const KERNEL_REMEDY = "Nothing was changed. Run the startup, which raises it, or use another server:";

/**
 * Refuses one more container where the kernel or the pool would let it be made, and die later.
 *
 * @param containers how many there are already
 * @throws ConflictError that names the limit, its value and what to do; nothing was changed
 */
export function assertRoom(status: ServerStatus, containers: number, server: string): void {
  const reason = whatIsFull(status, containers);
  if (reason === undefined) return;
  throw new ConflictError(`${server} has no room for one more container: ${reason.message}`, {
    server,
    remedy: reason.remedy,
  });
}

function whatIsFull(
  { kernel = {}, pool, tasks = 0 }: ServerStatus,
  containers: number,
): { message: string; remedy: string } | undefined {
  for (const { limit, each, server } of KERNEL_NEEDS) {
    const needed = (containers + 1) * each + server;
    const value = kernel[limit] ?? Infinity;
    if (value < needed) return kernelReason(limit, value, `${containers + 1} containers need ${needed}`);
  }
  for (const limit of TASK_LIMITS) {
    const value = kernel[limit] ?? Infinity;
    if (value < tasks + TASKS_EACH)
      return kernelReason(limit, value, `${tasks} processes and threads are there already`);
  }
  const free = pool.totalBytes - pool.usedBytes;
  if (free >= LEAST_FREE && pool.usedBytes <= FULLEST * pool.totalBytes) return undefined;
  return {
    message: `its pool has ${formatBytes(free)} free of ${formatBytes(pool.totalBytes)}`,
    remedy:
      "Nothing was changed. Raise containarium:dataDiskSizeGb and update the stack, or delete snapshots and containers that nobody needs.",
  };
}

function kernelReason(limit: string, value: number, need: string) {
  return {
    message: `the kernel limit ${limit} is ${value}, and ${need}`,
    remedy: `${KERNEL_REMEDY}\n  sudo systemctl restart containarium-startup.service`,
  };
}
