import { existsSync, mkdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { InvalidInputError } from "../../ops/errors";
import { runOnHost } from "./host-command";

const gib = 1024 ** 3;

/**
 * Makes the sparse file of a data disk if it is missing, grows it if it is smaller, and attaches it to a loop device.
 * @returns the loop device, for example `/dev/loop7`.
 * @throws InvalidInputError when the file is larger than asked: a disk never shrinks.
 */
export async function attachDataDisk(file: string, sizeGb: number): Promise<string> {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  if (!existsSync(file)) writeFileSync(file, "", { mode: 0o600, flag: "wx" });
  const size = statSync(file).size;
  refuseShrinking(file, size / gib, sizeGb);
  if (size < sizeGb * gib) truncateSync(file, sizeGb * gib);
  const attached = await loopDevice(file);
  if (attached === undefined) return (await runOnHost(["losetup", "--find", "--show", file])).trim();
  if (size < sizeGb * gib) await runOnHost(["losetup", "--set-capacity", attached]);
  return attached;
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
