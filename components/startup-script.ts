import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as path from "node:path";

import { InvalidInputError } from "../ops/errors";
import { type StartupFile, startupDirectory, startupHash } from "./startup-files";

/** What Compute Engine takes as metadata of one instance. */
export const metadataLimits = { key: /^[a-zA-Z0-9-_]{1,128}$/, valueBytes: 262_144, totalBytes: 524_288 } as const;

/** What a server is told about itself; read by startup/bootstrap.sh and what it calls. */
export interface ServerValues {
  name: string;
  admin: { user: string; authorizedKeys: string[] };
  containerSubnet: string;
  /** Range of the servers' own addresses, in which it finds its peers. */
  fleetSubnet: string;
  /** The one data disk that is this server's, by the name that it got when it was formatted. */
  dataDiskId: string;
  /** The disk is new: it may be formatted, if it is blank. */
  mayFormat: boolean;
  /** Addresses that fail2ban leaves alone. */
  neverBan: string[];
  /** Image that the golden image is baked from, by Incus' name: `images:ubuntu/24.04`. */
  image: string;
}

/** The link that Linux makes for the attached disk whose device name is `incus-data`. */
export const dataDiskDevice = "/dev/disk/by-id/google-incus-data";
export const dataDiskName = "incus-data";

/** The program that a Google server runs at every boot. In a folder of its own: it is no part of what it fetches. */
export function bootScript(): string {
  return readFileSync(path.join(startupDirectory(), "gce", "boot.sh"), "utf8");
}

/**
 * The files that a server boots with as metadata: one key per file, a list of them with checksums, the server's values,
 * and the boot script that fetches all of it. Nothing here is secret: whoever may look at the instance reads it.
 * @throws InvalidInputError when Compute Engine would refuse it.
 */
export function startupMetadata(
  files: StartupFile[],
  values: ServerValues,
  boot = bootScript(),
): Record<string, string> {
  const entries: [string, string][] = files.map(({ name, content }) => [metadataKey(name), content]);
  const metadata = Object.fromEntries([
    ...entries,
    ["containarium-files", manifest(files)],
    ["containarium-server", serverJson(files, values, boot)],
    ["startup-script", boot],
  ]) as Record<string, string>;
  if (Object.keys(metadata).length !== entries.length + 3)
    throw tooMuch("two startup files have the same metadata key");
  checkMetadata(metadata);
  return metadata;
}

/** `containarium-file-bootstrap_sh` for bootstrap.sh: a key has no dots. */
export function metadataKey(fileName: string): string {
  return `containarium-file-${fileName.replaceAll(".", "_")}`;
}

/** @throws InvalidInputError naming the key, its size and the limit. */
export function checkMetadata(metadata: Record<string, string>): void {
  const { key: keyRule, valueBytes, totalBytes } = metadataLimits;
  let total = 0;
  for (const [key, value] of Object.entries(metadata)) {
    const bytes = Buffer.byteLength(value);
    if (!keyRule.test(key)) throw tooMuch(`the metadata key ${JSON.stringify(key)} is not allowed`);
    if (bytes > valueBytes) throw tooMuch(`${key} has ${bytes} bytes of metadata, and ${valueBytes} are allowed`);
    total += key.length + bytes;
  }
  if (total >= totalBytes) throw tooMuch(`the metadata has ${total} bytes, and less than ${totalBytes} are allowed`);
}

/** One line per file: key, mode, checksum, name. */
function manifest(files: StartupFile[]): string {
  const line = ({ name, content, executable }: StartupFile) =>
    [metadataKey(name), executable ? "0755" : "0644", createHash("sha256").update(content).digest("hex"), name].join(
      " ",
    );
  return files.map((file) => `${line(file)}\n`).join("");
}

function serverJson(files: StartupFile[], values: ServerValues, boot: string): string {
  return JSON.stringify({
    schema: 1,
    ...values,
    dataDisk: dataDiskDevice,
    storage: "zfs",
    imageVersion: startupHash(files.filter(({ name }) => name.startsWith("golden-"))),
    imageSource: values.image,
    // Google's network knows the way from any server to any container.
    routePeers: false,
    startupHash: startupHash([...files, { name: "boot.sh", content: boot, executable: true }]),
  });
}

function tooMuch(problem: string): InvalidInputError {
  return new InvalidInputError(`startup: ${problem}`, { remedy: "Make the files of startup/ smaller." });
}
