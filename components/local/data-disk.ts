import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { ConflictError, InvalidInputError } from "../../ops/errors";
import { runOnHost } from "./host-command";

const gib = 1024 ** 3;

/** A data disk that is attached: its loop device, and the one id that this server's disk has. */
export interface DataDisk {
  device: string;
  /** UUID of the file system; data-disk.sh accepts no other. */
  id: string;
  /** There is nothing on it yet: it may be formatted. */
  blank: boolean;
}

/**
 * Attaches the data disk of a machine to a loop device, growing its sparse file where it is smaller than asked.
 *
 * @param knownId id of the disk that this machine is known to have; undefined for a new machine, which may find the disk
 *   of an earlier one, or gets a new one
 * @throws ConflictError when the known disk is missing or another one is in its place: an empty server must never pass
 *   for a full one. InvalidInputError when the file is larger than asked: a disk never shrinks.
 */
export async function attachDataDisk(file: string, sizeGb: number, knownId?: string): Promise<DataDisk> {
  const found = existsSync(file) ? await fileSystemId(file) : undefined;
  if (knownId !== undefined && found !== knownId) {
    throw new ConflictError(`the data disk ${file} ${found === undefined ? "is missing or empty" : "is another one"}`, {
      leftBehind: "everything as it was; nothing was formatted",
      remedy:
        "Put the right file back: it holds people's containers and the server's identity.\n" +
        "If it is lost for good, remove the fleet and start anew:  npm run quickstart:down",
    });
  }
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) writeFileSync(file, "", { mode: 0o600, flag: "wx" });
  const size = statSync(file).size;
  refuseShrinking(file, size / gib, sizeGb);
  if (size < sizeGb * gib) truncateSync(file, sizeGb * gib);
  const attached = await loopDevice(file);
  // Always: a run that was killed may have grown the file and not the device.
  if (attached !== undefined) await runOnHost(["losetup", "--set-capacity", attached]);
  const device = attached ?? (await runOnHost(["losetup", "--find", "--show", file])).trim();
  return { device, id: found ?? randomUUID(), blank: found === undefined };
}

/** UUID of the file system in the file; undefined when there is none. */
async function fileSystemId(file: string): Promise<string | undefined> {
  const probed = await runOnHost(["blkid", "--probe", "--output", "value", "--match-tag", "UUID", file]).catch(
    () => "",
  );
  return probed.trim() || undefined;
}

export function refuseShrinking(what: string, actualGb: number, wantedGb: number): void {
  if (actualGb <= wantedGb) return;
  throw new InvalidInputError(
    `containarium:dataDiskSizeGb is ${wantedGb}, but ${what} has ${Math.ceil(actualGb)} GiB`,
    {
      remedy: `A data disk can grow, never shrink. Set it to ${Math.ceil(actualGb)} or more.`,
    },
  );
}

/** Detaches the file; does nothing when it is not attached. The file stays. */
export async function detachDataDisk(file: string): Promise<void> {
  const attached = await loopDevice(file);
  if (attached !== undefined) await runOnHost(["losetup", "--detach", attached]);
}

async function loopDevice(file: string): Promise<string | undefined> {
  const listed = await runOnHost(["losetup", "--associated", file, "--noheadings", "--output", "NAME"]);
  return listed.trim().split("\n").filter(Boolean)[0];
}
