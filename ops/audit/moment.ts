import { InvalidInputError } from "../errors";

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/;

/**
 * A moment: so long ago (`2h`, `30d`), a day in UTC (`2026-11-27`), or ISO 8601 (UTC where it names no zone).
 *
 * @returns ISO 8601 in UTC, to the millisecond
 * @throws InvalidInputError
 */
export function parseMoment(text: string, now: Date, what: string): string {
  const ago = /^([1-9]\d{0,3})([mhdw])$/.exec(text);
  if (ago !== null) return new Date(now.getTime() - Number(ago[1]) * UNITS[ago[2]!]!).toISOString();
  const zoned = /T.*(Z|[+-]\d\d:\d\d)$/.test(text) || !text.includes("T") ? text : `${text}Z`;
  const moment = ISO.test(text) ? new Date(zoned) : undefined;
  // `2026-02-30` would become a day in March.
  const isReal = moment !== undefined && !Number.isNaN(moment.getTime()) && isDay(text.slice(0, 10));
  if (isReal) return moment.toISOString();
  throw new InvalidInputError(`${what} ${JSON.stringify(text)} is not a time`, {
    remedy: "Give how long ago (90m, 2h, 30d), a day (2026-11-27) or 2026-11-27T10:00:00Z.",
  });
}

function isDay(text: string): boolean {
  const day = new Date(text);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** A length of time in seconds: `10m`, `1h`, `7d`. @throws InvalidInputError */
export function parseSpan(text: string, what: string): number {
  const match = /^([1-9]\d{0,3})([mhdw])$/.exec(text);
  const seconds = match === null ? 0 : (Number(match[1]) * UNITS[match[2]!]!) / 1000;
  if (seconds > 0 && seconds <= 400 * 86_400) return seconds;
  throw new InvalidInputError(`${what} ${JSON.stringify(text)} is not a length of time`, {
    remedy: "Give a number and m, h, d or w, at most 400d: 10m, 1h, 7d.",
  });
}
