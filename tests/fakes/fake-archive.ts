import { gunzipSync, gzipSync } from "node:zlib";
import { parse, stringify } from "yaml";
import type { FakeFile, FakeInstance } from "./fake-incus-replies";

const BLOCK = 512;

/** What Incus writes for a backup: index first, then a folder, then the record, then the files. */
export function archiveOf({ name, config, devices, created_at, files }: FakeInstance): Buffer {
  const container = { name, config, devices, created_at, expanded_config: config, expanded_devices: devices };
  const entries: [string, string][] = [
    [
      "backup/index.yaml",
      stringify({ name, backend: "btrfs", pool: "default", type: "container", config: { container } }),
    ],
    ["backup/container/", ""],
    ["backup/container/backup.yaml", stringify({ container })],
    ["backup/container/rootfs.json", JSON.stringify([...files])],
  ];
  return gzipSync(Buffer.concat([...entries.map(([path, text]) => entry(path, text)), Buffer.alloc(2 * BLOCK)]));
}

/** What Incus understands of an archive: the record decides, not the index. */
export function readArchiveOf(archive: Buffer): Pick<FakeInstance, "config" | "devices" | "files"> {
  const tar = archive[0] === 0x1f ? gunzipSync(archive) : archive;
  const found = new Map<string, string>();
  for (let at = 0; at < tar.length && tar[at] !== 0;) {
    const path = tar.toString("utf8", at, at + 100).replace(/\0.*$/s, "");
    const size = parseInt(tar.toString("latin1", at + 124, at + 136), 8);
    const sum = parseInt(tar.toString("latin1", at + 148, at + 156), 8);
    const header = Buffer.from(tar.subarray(at, at + BLOCK)).fill(" ", 148, 156);
    if (header.reduce((total, byte) => total + byte, 0) !== sum) throw new Error(`tar: bad checksum of ${path}`);
    found.set(path, tar.toString("utf8", at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  const { container } = parse(found.get("backup/container/backup.yaml") ?? "") as { container: FakeInstance };
  const files = new Map(JSON.parse(found.get("backup/container/rootfs.json") ?? "[]") as [string, FakeFile][]);
  return { config: container.config, devices: container.devices, files };
}

function entry(path: string, text: string): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.alloc(BLOCK);
  header.write(path);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write(path.endsWith("/") ? "5" : "0", 156);
  header.write("ustar\x0000", 257);
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}
