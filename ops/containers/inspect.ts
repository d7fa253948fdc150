import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { IncusError } from "../incus/incus-error";
import type { Snapshot } from "../incus/types";
import type { ContainerDetails, SnapshotSummary } from "./container";
import { readFull } from "./get";
import { memoryInUse } from "./memory-in-use";
import { containerName, parseUserName } from "./user-name";

/** One person's container with what it uses now. @throws NotFoundError when this server has none for this user */
export async function inspectContainer(
  server: Server,
  user: string,
  options?: RequestOptions,
): Promise<ContainerDetails> {
  const name = containerName(parseUserName(user));
  const { container, instance } = await readFull(server, { user, name }, options);
  const { state, snapshots } = instance;
  const isUp = instance.status === "Running" && state !== null;
  const [memoryBytes, lastLogin] = await Promise.all([
    isUp ? memoryInUse(server, name, state, options) : 0,
    isUp ? readLastLogin(server, user, name, options) : undefined,
  ]);
  return {
    ...container,
    usage: {
      diskBytes: state?.disk?.["root"]?.usage ?? 0,
      memoryBytes,
      cpuSeconds: isUp ? Math.round(state.cpu.usage / 1e8) / 10 : 0,
      // Incus says -1 of what it cannot count.
      processes: isUp ? Math.max(0, state.processes) : 0,
    },
    ...(isUp && { startedAt: isoTime(state.started_at) }),
    snapshots: (snapshots ?? []).map(describeSnapshot),
    ...(lastLogin !== undefined && { lastLogin }),
  };
}

export function describeSnapshot({ name, created_at, expires_at }: Snapshot): SnapshotSummary {
  // The year 1 is never.
  const expiresAt = expires_at.startsWith("0001") ? undefined : isoTime(expires_at);
  return { name, createdAt: isoTime(created_at), ...(expiresAt !== undefined && { expiresAt }) };
}

/** To the millisecond, as everywhere else; Incus writes nanoseconds. */
export function isoTime(text: string): string {
  return new Date(text).toISOString();
}

/** By the container's journal; its owner may have emptied it. */
async function readLastLogin(server: Server, user: string, name: string, options?: RequestOptions) {
  const accepted = `^Accepted \\S+ for ${user} from `;
  const command = ["journalctl", "-q", "-n", "1", "-o", "json", "-t", "sshd", "-t", "sshd-session", "-g", accepted];
  try {
    const { stdout } = await server.incus.instances.execOutput(name, command, options);
    const { __REALTIME_TIMESTAMP: microseconds } = JSON.parse(stdout) as { __REALTIME_TIMESTAMP: string };
    return new Date(Number(microseconds) / 1000).toISOString();
  } catch (error) {
    // No such line, or no journal.
    if (error instanceof SyntaxError || error instanceof RangeError || error instanceof IncusError) return undefined;
    throw error;
  }
}
