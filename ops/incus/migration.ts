import type { WebSocket } from "ws";
import { OperationError } from "../errors";
import { BACKUP_TIMEOUT_MS } from "./backups";
import type { IncusClient, RequestOptions } from "./client";
import type { Operation } from "./operation";
import type { NewInstance } from "./types";
import { hangUp, openWebSocket, relay } from "./websocket";

export interface Migration {
  /** Who has it. */
  source: IncusClient;
  /** Who gets it. */
  target: IncusClient;
  /** What it is to be there. With `refresh` only its disk and snapshots are changed; config and devices stay. */
  instance: Omit<NewInstance, "source">;
  /** It is there already: bring only what is different. */
  refresh: boolean;
  /** Called now and then, with what was carried until then. */
  onProgress?: (bytes: number) => void;
}

/** What a migration is spoken on. */
const CHANNELS = ["control", "fs"] as const;
/** After one side is done; then the other one has heard it too. */
const LAST_WORDS_MS = 1000;

/**
 * Copies an instance with its snapshots from one Incus to another. They need not reach each other: both speak to us, and
 * we carry what they say. What is copied is the disk of the moment when it begins; a running instance goes on.
 *
 * @throws what failed on one of both; the target takes back a copy that did not become whole, but for a refresh
 */
export async function migrate(migration: Migration, options: RequestOptions = {}): Promise<void> {
  const { source, target, instance, refresh } = migration;
  const sending = await source.operation({
    ...options,
    method: "POST",
    path: `/1.0/instances/${encodeURIComponent(instance.name)}`,
    json: { migration: true, live: false, instance_only: false },
  });
  const receiving = await target
    .operation({
      ...options,
      method: "POST",
      path: "/1.0/instances",
      json: { ...instance, source: { type: "migration", mode: "push", live: false, instance_only: false, refresh } },
    })
    .catch(async (error: unknown) => {
      await sending.cancel().catch(() => undefined);
      throw error;
    });
  await carry(migration, sending, receiving, options);
}

async function carry(
  { source, target, onProgress }: Migration,
  sending: Operation,
  receiving: Operation,
  options: RequestOptions,
): Promise<void> {
  const wait = { timeoutMs: BACKUP_TIMEOUT_MS, ...options };
  const ends = [receiving.wait(wait), sending.wait(wait)];
  const over = Promise.allSettled(ends);
  const sockets: WebSocket[] = [];
  const end = (): void => sockets.forEach(hangUp);
  let bytes = 0;
  const onBytes = (more: number): void => onProgress?.((bytes += more));
  try {
    for (const channel of CHANNELS) {
      const pair = await Promise.all([
        openWebSocket(source.transport, addressOf(sending, channel)),
        openWebSocket(target.transport, addressOf(receiving, channel)),
      ]);
      sockets.push(...pair);
      relay(...pair, onBytes);
    }
    // Each would wait half a minute for the other to hang up first.
    const isDone = await Promise.race(ends).then(
      () => true,
      () => false,
    );
    if (isDone) await Promise.race([over, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))]);
  } catch (error) {
    await Promise.all([sending.cancel(), receiving.cancel()].map((one) => one.catch(() => undefined)));
    throw error;
  } finally {
    end();
    await over;
  }
  await Promise.all(ends);
}

function addressOf(operation: Operation, channel: (typeof CHANNELS)[number]): string {
  const secret = operation.begun[channel];
  if (typeof secret !== "string") throw new OperationError(`Incus gave no secret for the channel ${channel}`);
  return `${operation.path}/websocket?secret=${encodeURIComponent(secret)}`;
}
