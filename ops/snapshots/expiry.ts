import { InvalidInputError } from "../errors";

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/**
 * The moment that lies so far after `now`: `12h`, `30d`, `4w`.
 *
 * @returns ISO 8601
 * @throws InvalidInputError
 */
export function parseExpiry(text: string, now: Date, what = "expiry"): string {
  return new Date(now.getTime() + parseSpan(text, what)).toISOString();
}

/** Milliseconds of a span of time: `12h`, `30d`, `4w`. @throws InvalidInputError */
export function parseSpan(text: string, what: string): number {
  const match = /^([1-9]\d{0,3})([mhdw])$/.exec(text.trim());
  if (match === null) {
    throw new InvalidInputError(`${what} ${JSON.stringify(text)} is not a span of time`, {
      remedy: "Give a number and m, h, d or w: 12h, 30d, 4w.",
    });
  }
  return Number(match[1]) * UNITS[match[2]!]!;
}
