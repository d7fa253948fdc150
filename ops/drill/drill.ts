import { HostKeyError } from "../errors";

/** One end of one server without warning, and what became of everybody. The shape of `--json` (CHANGELOG: a contract). */
export interface Drill {
  server: string;
  /** How the machine ended; see the host helper's `server.die`. */
  ended: "restart" | "power-off" | "reset";
  /** ISO 8601, UTC: when it ended. */
  endedAt: string;
  /** In order, each with how long after the end it was so. */
  steps: DrillStep[];
  people: DrilledPerson[];
  /** Of the server itself; of people see there. */
  problems: DrillProblem[];
}

export interface DrillStep {
  title: string;
  milliseconds: number;
}

export interface DrilledPerson {
  user: string;
  /** Lines that were on disk before the end, by the word of the container's kernel. */
  acknowledged: number;
  /** How many of them are there afterwards. */
  kept: number;
  /** Files of their home whose content was compared. */
  homeFiles: number;
  /** After the end of the server, until their whole way was open again; absent: it is not, or no key lets them in. */
  backMilliseconds?: number;
  problems: DrillProblem[];
}

/** `unproven`: it could not be looked at, which is no proof of anything. */
export interface DrillProblem {
  kind: "lost" | "changed" | "not-back" | "unproven";
  message: string;
}

/** Middle and longest of some times; undefined of none. */
export function spreadOf(times: readonly number[]): { median: number; worst: number } | undefined {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
  return sorted.length === 0 ? undefined : { median, worst: sorted.at(-1)! };
}

/** What an error means for whom it happened to; another host key is always a change. */
export function problemOf(error: unknown, kind: DrillProblem["kind"]): DrillProblem {
  const message = error instanceof Error ? error.message : String(error);
  return { kind: error instanceof HostKeyError ? "changed" : kind, message };
}
