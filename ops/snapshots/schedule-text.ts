import { InvalidInputError } from "../errors";
import type { Config } from "../incus/types";

/** When snapshots are made by themselves, and when those are deleted. */
export interface SnapshotSchedule {
  /** `@daily` and its like, or five fields of cron; absent: never. */
  snapshotSchedule?: string;
  /** A number and m, h, d or w, such as `7d`; absent: they are kept. */
  snapshotExpiry?: string;
}

const NAMES = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@annually", "@yearly"];
/** Minute, hour, day of the month, month, day of the week: the lowest and the highest. */
const FIELDS = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 6],
] as const;
/** Our unit and Incus' (its `m` is a month). */
const UNITS: Readonly<Record<string, string>> = { m: "M", h: "H", d: "d", w: "w" };

/** @throws InvalidInputError */
export function parseSchedule(text: string, what = "snapshotSchedule"): string {
  const schedule = text.trim().replace(/\s+/g, " ");
  const fields = schedule.split(" ");
  const isCron = fields.length === FIELDS.length && fields.every((field, index) => isField(field, FIELDS[index]!));
  if (NAMES.includes(schedule) || isCron) return schedule;
  throw new InvalidInputError(`${what} ${JSON.stringify(text)} is no schedule`, {
    remedy: `Give ${NAMES.join(", ")}, or five fields of cron, such as "30 3 * * 1-5" (UTC).`,
  });
}

/** @throws InvalidInputError */
export function parseScheduleExpiry(text: string, what = "snapshotExpiry"): string {
  const expiry = text.trim();
  if (/^[1-9]\d{0,3}[mhdw]$/.test(expiry)) return expiry;
  throw new InvalidInputError(`${what} ${JSON.stringify(text)} is not a span of time`, {
    remedy: "Give a number and m, h, d or w: 12h, 30d, 4w.",
  });
}

/** In Incus' words; empty is none. PURE. */
export function renderSchedule({ snapshotSchedule, snapshotExpiry }: SnapshotSchedule): Config {
  const isKept = snapshotSchedule === undefined || snapshotExpiry === undefined;
  const expiry = isKept ? "" : snapshotExpiry.replace(/[mhdw]$/, (unit) => UNITS[unit]!);
  return { "snapshots.schedule": snapshotSchedule ?? "", "snapshots.expiry": expiry };
}

/** The same backwards. What somebody else wrote there in other words is told as it is. PURE. */
export function readSchedule(config: Config): SnapshotSchedule {
  const schedule = config["snapshots.schedule"] ?? "";
  const expiry = config["snapshots.expiry"] ?? "";
  const ours = Object.entries(UNITS).find(([, unit]) => new RegExp(`^\\d+${unit}$`).test(expiry));
  return {
    ...(schedule !== "" && { snapshotSchedule: schedule }),
    ...(expiry !== "" && { snapshotExpiry: ours === undefined ? expiry : expiry.replace(/.$/, ours[0]) }),
  };
}

function isField(field: string, [lowest, highest]: readonly [number, number]): boolean {
  return field.split(",").every((part) => {
    const match = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/([1-9]\d?))?$/.exec(part);
    if (match === null) return false;
    const [first, last] = [match[1] ?? String(lowest), match[2] ?? match[1] ?? String(highest)].map(Number);
    return first! >= lowest && last! <= highest && first! <= last!;
  });
}
