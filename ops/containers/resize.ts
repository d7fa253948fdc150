import { recordOperation } from "../audit/record-operation";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { assertDiskCanBe, assertMemoryCanBe, assertProcessesCanBe } from "./can-be";
import type { Container, ContainerSpec } from "./container";
import { readContainer } from "./get";
import { renderCpu } from "./instance-config";
import { modifyOwn, readOwn } from "./own-container";
import { parseCpu, parseDiskQuota, parseMemory, parseProcesses } from "./size";

/** What a container may use; what is absent stays as it is. */
export type Limits = Pick<ContainerSpec, "cpu" | "memory" | "diskQuota" | "processes">;

/**
 * Gives a person's container more or less to use, while it runs.
 *
 * @throws InvalidInputError when it uses more than it would have, or the pool is smaller (nothing was changed then);
 *   NotFoundError; ConflictError when it is half-made or not ours
 */
export async function resizeContainer(
  server: Server,
  user: string,
  limits: Limits,
  options?: RequestOptions,
): Promise<Container> {
  const cpu = limits.cpu === undefined ? undefined : parseCpu(limits.cpu);
  const memory = limits.memory === undefined ? undefined : parseMemory(limits.memory);
  const diskQuota = limits.diskQuota === undefined ? undefined : parseDiskQuota(limits.diskQuota);
  const processes = limits.processes === undefined ? undefined : parseProcesses(limits.processes);
  return recordOperation(server, { operation: "resize", user, detail: describe(limits) }, async () => {
    const existing = await readOwn(server, user, options);
    if (memory) await assertMemoryCanBe(server, existing, memory, options);
    if (processes !== undefined) await assertProcessesCanBe(server, existing, processes, options);
    if (diskQuota) await assertDiskCanBe(server, existing, diskQuota, options);
    await modifyOwn(
      server,
      user,
      (_record, { devices }) => ({
        config: {
          ...(cpu !== undefined && { "limits.cpu.allowance": renderCpu(cpu) }),
          ...(memory && { "limits.memory": memory.text }),
          ...(processes !== undefined && { "limits.processes": String(processes) }),
        },
        ...(diskQuota && devices.root && { devices: { root: { ...devices.root, size: diskQuota.text } } }),
      }),
      options,
    );
    return readContainer(server, existing, options);
  });
}

function describe({ cpu, memory, diskQuota, processes }: Limits): string {
  const words = { cpu, memory, "disk-quota": diskQuota, processes };
  return Object.entries(words)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
    .join(", ");
}
