import { InvalidInputError } from "../errors";

/** A size, as text that Incus takes and in bytes. */
export interface Size {
  /** Number and unit without a space, for example `4GiB`. */
  text: string;
  bytes: number;
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const UNIT_NAMES = new Map(Object.keys(UNITS).map((unit) => [unit.toLowerCase(), unit]));

const REMEDY = "Give a whole number and a unit, for example 4GiB (1024-based) or 20GB (1000-based).";

/** Below this a Debian container with sshd does not start reliably. */
const MINIMUM_MEMORY: Size = { text: "128MiB", bytes: 128 * 2 ** 20 };
const MINIMUM_DISK: Size = { text: "1GB", bytes: 1e9 };

/**
 * Checks a size such as `4GiB`, `20GB`, `512MiB`. Letter case and a space before the unit do not matter.
 *
 * @param what how the user calls it, for example `--memory`; the error message speaks of it
 * @throws InvalidInputError
 */
export function parseSize(text: string, what: string): Size {
  const match = /^(\d+)\s*([a-z]+)$/i.exec(text.trim());
  const unit = match === null ? undefined : UNIT_NAMES.get(match[2]!.toLowerCase());
  if (match === null || unit === undefined) {
    throw new InvalidInputError(`${what} ${JSON.stringify(text)} is not a size`, { remedy: REMEDY });
  }
  const amount = Number(match[1]);
  const bytes = amount * UNITS[unit]!;
  if (!Number.isSafeInteger(bytes)) {
    throw new InvalidInputError(`${what} ${text.trim()} is larger than any machine`, { remedy: REMEDY });
  }
  if (bytes === 0) throw new InvalidInputError(`${what} is zero`, { remedy: REMEDY });
  return { text: `${amount}${unit}`, bytes };
}

/** A memory limit: at least 128MiB. */
export function parseMemory(text: string, what = "memory"): Size {
  return atLeast(MINIMUM_MEMORY, parseSize(text, what), what);
}

/** A disk quota: at least 1GB. */
export function parseDiskQuota(text: string, what = "disk quota"): Size {
  return atLeast(MINIMUM_DISK, parseSize(text, what), what);
}

/**
 * CPU time in cores, in steps of 0.01 and at least 0.1.
 *
 * @throws InvalidInputError
 */
export function parseCpu(value: number, what = "cpu"): number {
  const hundredths = Math.round(value * 100);
  if (!Number.isFinite(value) || Math.abs(value * 100 - hundredths) > 1e-6 || hundredths < 10 || hundredths > 51200) {
    throw new InvalidInputError(`${what} ${value} is not a number of cores`, {
      remedy: "Give cores from 0.1 to 512, in steps of 0.01; for example 4 or 0.5.",
    });
  }
  return hundredths / 100;
}

/** Below this systemd and sshd do not come up; more than that no kernel has. */
const PROCESSES = { least: 100, most: 4_194_304 };

/**
 * A limit of processes and threads.
 *
 * @throws InvalidInputError
 */
export function parseProcesses(value: number, what = "processes"): number {
  if (Number.isInteger(value) && value >= PROCESSES.least && value <= PROCESSES.most) return value;
  throw new InvalidInputError(`${what} ${value} is not a number of processes`, {
    remedy: `Give a whole number from ${PROCESSES.least} to ${PROCESSES.most}; for example 4096.`,
  });
}

/** `20.0 GB`: bytes for people. */
export function formatBytes(bytes: number): string {
  const unit = ["TB", "GB", "MB", "kB"].find((name) => bytes >= UNITS[name]!) ?? "B";
  return unit === "B" ? `${bytes} B` : `${(bytes / UNITS[unit]!).toFixed(1)} ${unit}`;
}

function atLeast(minimum: Size, size: Size, what: string): Size {
  if (size.bytes >= minimum.bytes) return size;
  throw new InvalidInputError(`${what} ${size.text} is too small`, { remedy: `Give at least ${minimum.text}.` });
}
