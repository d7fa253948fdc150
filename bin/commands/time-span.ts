import { parseMoment } from "../../ops/audit/moment";
import { InvalidInputError } from "../../ops/errors";
import type { OptionTable } from "./command";

/** From when to when something is asked for. */
export const spanOptions = {
  since: { type: "string", requiresArg: true, describe: "2h, 30d, 2026-11-27, 2026-11-27T10:00:00Z [default: 24h]" },
  until: { type: "string", requiresArg: true, describe: "the same [default: now]" },
} as const satisfies OptionTable;

/** @throws InvalidInputError */
export function parseSpanOptions(
  { since = "24h", until }: { since?: string; until?: string },
  now = new Date(),
): { since: string; until: string } {
  const span = {
    since: parseMoment(since, now, "--since"),
    // A server's clock may be a little ahead.
    until: until === undefined ? new Date(now.getTime() + 60_000).toISOString() : parseMoment(until, now, "--until"),
  };
  if (span.since < span.until) return span;
  throw new InvalidInputError(`--since ${span.since} is not before --until ${span.until}`);
}
