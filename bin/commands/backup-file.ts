import fs from "node:fs";
import path from "node:path";
import { Writable } from "node:stream";

import { formatBytes } from "../../ops/containers/size";
import { InvalidInputError } from "../../ops/errors";
import { nameByTime } from "../../ops/snapshots/name";
import type { OutputStream } from "../io";
import type { Backup, Server } from "../services";
import type { Context } from "./command";

/** How often a terminal is told how far it is. */
const tellEveryMs = 200;

/**
 * Writes a backup into a file that only its owner can read. The file has its name only when it is whole: until then it
 * is another one beside it, which goes when anything fails.
 */
export async function backupTo(file: string, server: Server, user: string, context: Context): Promise<Backup> {
  const started = performance.now();
  const partial = `${file}.${process.pid}.partial`;
  try {
    await fs.promises.mkdir(path.dirname(file), { recursive: true, mode: 0o700 }).catch(cannotWrite(file));
    const handle = await fs.promises.open(partial, "wx", 0o600).catch(cannotWrite(file));
    const sink = handle.createWriteStream({ flush: true });
    const written = await backupInto(sink, server, user, context).finally(() => sink.destroy());
    await fs.promises.rename(partial, file);
    const detail = `${formatBytes(written.bytes)} in ${file}`;
    context.progress.done(`Backed up ${user}`, detail, performance.now() - started);
    return written;
  } catch (error) {
    await fs.promises.rm(partial, { force: true });
    throw error;
  }
}

export async function backupInto(sink: Writable, server: Server, user: string, context: Context): Promise<Backup> {
  const { io, progress, services } = context;
  progress.doing(`The server packs what ${user} has...`);
  let told = 0;
  const onProgress = (bytes: number) => {
    if (Date.now() - told < tellEveryMs) return;
    told = Date.now();
    progress.doing(`Backing up ${user}: ${formatBytes(bytes)}`);
  };
  const written = await services.backupContainer(server, user, sink, { onProgress, signal: io.signal });
  progress.clear();
  return written;
}

/** `FOLDER/alice-2026-11-25-150130.tar.gz` */
export function fileIn(folder: string, user: string, { cwd }: { cwd: string }): string {
  return path.join(path.resolve(cwd, folder), `${user}-${nameByTime(new Date())}.tar.gz`);
}

/** Standard output as a sink that waits while it is full: memory stays small before a slow reader. */
export function sinkOn(stream: OutputStream): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (stream.write(chunk) === false && stream.once) stream.once("drain", () => done());
      else done();
    },
  });
}

function cannotWrite(file: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    throw new InvalidInputError(`cannot write ${file}: ${error.message.split(",")[0] ?? ""}`, {
      remedy: "Name a file that you may write with  -o FILE",
      cause: error,
    });
  };
}
