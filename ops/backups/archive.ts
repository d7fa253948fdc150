import { PassThrough, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { parseDocument } from "yaml";
import { InvalidInputError } from "../errors";
import type { Config, Devices, Instance } from "../incus/types";

/** The parts of an instance that an archive carries, twice. */
export type ArchivedInstance = Pick<Instance, "name" | "config" | "devices" | "created_at">;

/** An archive whose first entry was read. */
export interface Archive {
  instance: ArchivedInstance;
  /** The same archive, plain, in which the instance has another config and other devices. All else flows through as it is. */
  rewritten(config: Config, devices: Devices): Readable;
}

const BLOCK = 512;
/** What Incus writes first: all about the instance. It reads the second one after unpacking. */
const INDEX = { name: "backup/index.yaml", path: ["config", "container"] };
const RECORD = { name: "backup/container/backup.yaml", path: ["container"] };
const LONGEST_INDEX = 4 * 1024 * 1024;

/**
 * Begins to read an archive that Incus wrote: a tar, plain or compressed with gzip.
 *
 * Incus refuses an archive whose instance has an address of another server's network, and has no way to say another; so
 * what it is to become is written into the archive on the way. That makes it ours in the very moment it is there.
 *
 * @throws InvalidInputError when it is no archive of a container
 */
export async function readArchive(source: Readable): Promise<Archive> {
  const bytes = new Bytes(await plain(source));
  const entry = await readHeader(bytes);
  if (entry?.name !== INDEX.name || entry.size > LONGEST_INDEX) throw noBackup("it does not begin as one");
  const index = await bytes.take(entry.padded);
  const text = index.subarray(0, entry.size).toString("utf8");
  const document = parseDocument(text);
  const instance = (document.toJS() as { config?: { container?: ArchivedInstance } } | null)?.config?.container;
  if (instance?.config === undefined || instance.devices === undefined) throw noBackup("it holds no container");
  return {
    instance,
    rewritten: (config, devices) => Readable.from(rewrite(bytes, { header: entry.header, text }, { config, devices })),
  };
}

type Change = Pick<ArchivedInstance, "config" | "devices">;

async function* rewrite(bytes: Bytes, index: { header: Buffer; text: string }, change: Change): AsyncGenerator<Buffer> {
  yield entryOf(index.header, changed(index.text, INDEX.path, change));
  for (;;) {
    const entry = await readHeader(bytes);
    if (entry === undefined) break;
    if (entry.name === RECORD.name && entry.size <= LONGEST_INDEX) {
      const content = (await bytes.take(entry.padded)).subarray(0, entry.size).toString("utf8");
      yield entryOf(entry.header, changed(content, RECORD.path, change));
      break;
    }
    yield entry.header;
    yield* bytes.pass(entry.padded);
  }
  yield* bytes.rest();
}

function changed(text: string, path: string[], { config, devices }: Change): string {
  const document = parseDocument(text);
  for (const prefix of ["", "expanded_"]) {
    document.setIn([...path, `${prefix}config`], document.createNode(config));
    document.setIn([...path, `${prefix}devices`], document.createNode(devices));
  }
  return document.toString({ lineWidth: 0 });
}

interface Header {
  header: Buffer;
  name: string;
  size: number;
  /** With what fills the last block. */
  padded: number;
}

/** The next entry (POSIX.1-1988 ustar header); undefined at the end, which is given back to be read again. */
async function readHeader(bytes: Bytes): Promise<Header | undefined> {
  const header = await bytes.take(BLOCK);
  if (header.every((byte) => byte === 0)) {
    bytes.giveBack(header);
    return undefined;
  }
  if (header.toString("latin1", 257, 262) !== "ustar") throw noBackup("it is no tar archive");
  const name = header.toString("utf8", 0, 100).replace(/\0.*$/s, "");
  const size = parseInt(header.toString("latin1", 124, 136), 8);
  if (!Number.isSafeInteger(size)) throw noBackup("its first entries are too large");
  return { header, name, size, padded: Math.ceil(size / BLOCK) * BLOCK };
}

/** An entry with that header and another content. */
function entryOf(header: Buffer, text: string): Buffer {
  const content = Buffer.from(text);
  const fresh = Buffer.from(header);
  fresh.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  fresh.fill(" ", 148, 156);
  const sum = fresh.reduce((total, byte) => total + byte, 0);
  fresh.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return Buffer.concat([fresh, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

/** Unpacked, if it was packed: gzip begins with 1f 8b. */
async function plain(source: Readable): Promise<Readable> {
  const bytes = new Bytes(source);
  const magic = await bytes.take(2);
  bytes.giveBack(magic);
  const whole = Readable.from(bytes.rest());
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return whole;
  const unpacked = createGunzip();
  whole.on("error", (error) => unpacked.destroy(error)).pipe(unpacked);
  const output = new PassThrough();
  unpacked.on("error", (error) => output.destroy(noBackup(`it is damaged (${error.message})`))).pipe(output);
  return output;
}

function noBackup(why: string): InvalidInputError {
  return new InvalidInputError(`this is no whole backup of a container: ${why}`, {
    remedy: "Give a file that was written by:\n  containarium-ops backup USER -o FILE",
  });
}

/** A stream that is read in pieces of a wanted length; never more than a piece and a chunk in memory. */
class Bytes {
  private readonly chunks: AsyncIterator<Buffer>;
  private held: Buffer = Buffer.alloc(0);

  constructor(source: Readable) {
    this.chunks = (source as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  async take(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.pass(length)) parts.push(part);
    return Buffer.concat(parts);
  }

  async *pass(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0;) {
      const chunk = await this.next();
      if (chunk === undefined) throw noBackup("it ends too early");
      this.giveBack(chunk.subarray(left));
      yield chunk.subarray(0, left);
      left -= Math.min(left, chunk.length);
    }
  }

  async *rest(): AsyncGenerator<Buffer> {
    for (let chunk = await this.next(); chunk !== undefined; chunk = await this.next()) yield chunk;
  }

  giveBack(bytes: Buffer): void {
    this.held = this.held.length === 0 ? bytes : Buffer.concat([bytes, this.held]);
  }

  private async next(): Promise<Buffer | undefined> {
    if (this.held.length > 0) {
      const { held } = this;
      this.held = Buffer.alloc(0);
      return held;
    }
    const chunk = await this.chunks.next();
    return chunk.done === true ? undefined : chunk.value;
  }
}
