import { probeSsh } from "../containers/probe";
import type { ContainerRecord } from "../containers/record";
import { ContainariumError, HostKeyError } from "../errors";
import type { ServerAddress } from "../fleet/inventory";
import { openServer, type OpenOptions, type Server } from "../host/server";
import { throwIfInterrupted, waitFor } from "../wait";

/** The way back has a limit, in `performance.now()`'s time. */
export interface Limit {
  deadline: number;
  signal?: AbortSignal;
}

const CONNECT_MS = 5000;
/** A server that boots may refuse keys; who tries too often is kept out for a while by sshd. */
const REFUSED_MS = 5000;

/**
 * A connection to a server that has booted since, with its pinned host key.
 *
 * @param boot of the boot that ended, as `server.boot` says
 * @throws HostKeyError at once; TimeoutError when it is not back in time
 */
export async function untilSshAnswers(
  target: ServerAddress,
  boot: string,
  limit: Limit,
  options: OpenOptions,
): Promise<Server> {
  let refusedUntil = 0;
  const look = async (): Promise<Server | undefined> => {
    if (performance.now() < refusedUntil) return undefined;
    let server: Server | undefined;
    try {
      server = await openServer(target, { ...options, connectTimeoutMs: CONNECT_MS });
      const now = await server.helper({ op: "server.boot" }, { timeoutMs: CONNECT_MS });
      if (now.boot !== boot) return server;
    } catch (error) {
      throwIfInterrupted(limit.signal);
      if (error instanceof HostKeyError) throw error;
      if (error instanceof ContainariumError && error.kind === "authentication") {
        refusedUntil = performance.now() + REFUSED_MS;
      }
    }
    await server?.close();
    return undefined;
  };
  return waitFor(look, { ...wait(limit, target.name), what: `${target.name} to answer again`, maxIntervalMs: 500 });
}

/** Until its startup is through. */
export async function untilReady(server: Server, limit: Limit): Promise<void> {
  const look = async () => (await server.helper({ op: "server.status" })).ready;
  await waitFor(look, { ...wait(limit, server.name), what: `the startup of ${server.name}`, intervalMs: 300 });
}

/**
 * Until a person's whole way is open: through the jump account, to their container's SSH. Cheap looks first.
 *
 * @returns the container's host keys
 */
export async function untilLetIn(server: Server, record: ContainerRecord, limit: Limit): Promise<string[]> {
  const { user, address } = record;
  const greets = async () => (await probeSsh(server, address)) !== "silent";
  await waitFor(greets, { ...wait(limit, server.name), what: `${user}'s SSH`, intervalMs: 200, maxIntervalMs: 1000 });
  return letIn(server, record, secondsLeft(limit), limit.signal);
}

/** Goes a person's way once. @returns the container's host keys */
export async function letIn(
  server: Server,
  { user, address: target }: ContainerRecord,
  timeoutSeconds: number,
  signal?: AbortSignal,
): Promise<string[]> {
  return (await server.helper({ op: "path.verify", user, target, timeoutSeconds }, { signal })).hostKeys;
}

function wait(limit: Limit, server: string) {
  return { timeoutMs: Math.max(0, Math.round(secondsTo(limit)) * 1000), server, signal: limit.signal };
}

function secondsTo({ deadline }: Limit): number {
  return (deadline - performance.now()) / 1000;
}

function secondsLeft(limit: Limit): number {
  return Math.min(600, Math.max(1, secondsTo(limit)));
}
