import { createHash, randomUUID } from "node:crypto";
import { Transform, type Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { recordOperation } from "../audit/record-operation";
import { readOwn } from "../containers/own-container";
import { formatBytes } from "../containers/size";
import { ConflictError, OperationError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { interrupted } from "../wait";

/** How far a transfer is. */
export type OnProgress = (bytes: number) => void;

export interface BackupOptions extends RequestOptions {
  onProgress?: OnProgress;
}

export interface Backup {
  user: string;
  server: string;
  bytes: number;
  /** Of the whole file, in hexadecimal. */
  sha256: string;
}

const DAY_MS = 86_400_000;

/**
 * Writes a person's whole container into a stream, as an archive that `restoreContainer` takes. Memory stays small,
 * however large it is: the server packs it on its own disk, and it flows from there.
 *
 * @throws NotFoundError; ConflictError when the server has no room to pack it
 */
export async function backupContainer(
  server: Server,
  user: string,
  sink: Writable,
  options: BackupOptions = {},
): Promise<Backup> {
  return recordOperation(server, { operation: "backup", user }, () => backup(server, user, sink, options));
}

async function backup(
  server: Server,
  user: string,
  sink: Writable,
  { onProgress, ...options }: BackupOptions,
): Promise<Backup> {
  const record = await readOwn(server, user, options);
  await assertRoomToPack(server, record.name, options);
  const backups = server.incus.instances.backups(record.name);
  const name = `containarium-${randomUUID()}`;
  try {
    await backups.create(
      {
        name,
        expires_at: new Date(Date.now() + DAY_MS).toISOString(),
        compression_algorithm: "gzip",
        instance_only: true,
        optimized_storage: false,
      },
      options,
    );
    const { body, bytes } = await backups.export(name, options);
    const copied = await copy(body, sink, onProgress, options.signal);
    if (bytes !== undefined && bytes !== copied.bytes) {
      throw new OperationError(`the backup of ${user} broke off after ${copied.bytes} of ${bytes} bytes`, {
        server: server.name,
        remedy: "Run it again.",
      });
    }
    return { user, server: server.name, ...copied };
  } finally {
    // One that stays, because the line broke, is deleted by the server after a day.
    await backups.delete(name).catch(() => undefined);
  }
}

async function copy(body: Readable, sink: Writable, onProgress: OnProgress | undefined, signal?: AbortSignal) {
  const hash = createHash("sha256");
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      onProgress?.(bytes);
      done(null, chunk);
    },
  });
  await pipeline(body, count, sink, { signal }).catch((error: unknown) => {
    throw signal?.aborted === true ? interrupted(signal) : error;
  });
  return { bytes, sha256: hash.digest("hex") };
}

/** A full pool would stop everybody's programs. What is packed is at most as large as what is there. */
async function assertRoomToPack(server: Server, name: string, options?: RequestOptions): Promise<void> {
  const [{ disk }, { pool }] = await Promise.all([
    server.incus.instances.state(name, options),
    server.helper({ op: "server.status" }, options),
  ]);
  const needed = disk?.["root"]?.usage ?? 0;
  const free = pool.totalBytes - pool.usedBytes;
  if (needed <= free) return;
  throw new ConflictError(`no room on ${server.name} to pack ${formatBytes(needed)}: ${formatBytes(free)} are free`, {
    server: server.name,
    remedy: "Nothing was changed. Make room: delete snapshots, or enlarge the data disk.",
  });
}
