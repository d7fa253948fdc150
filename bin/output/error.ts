import { ContainariumError, PartialFailureError } from "../../ops/errors";
import type { ErrorKind } from "../../ops/errors";

/** The one table of exit codes. `docs/json.md` and the README repeat it. */
const exitCodes: Record<ErrorKind, number> = {
  failed: 1,
  invalid: 2,
  "not-found": 3,
  conflict: 4,
  authentication: 5,
  unreachable: 6,
  timeout: 7,
  partial: 8,
  interrupted: 130,
};

const meanings: Record<ErrorKind, string> = {
  failed: "Failed.",
  invalid: "Wrong usage or bad input; nothing was changed.",
  "not-found": "No such user, container, snapshot, stack or server.",
  conflict: "Exists already, somebody else holds it, the server is full, or sync found what differs.",
  authentication: "The server refused our key, or its host key is not the pinned one.",
  unreachable: "No connection to the server.",
  timeout: "Waited for something, and the limit passed.",
  partial: "Some of several failed.",
  interrupted: "Interrupted.",
};

/** In order, for the man page. */
export function exitCodeMeanings(): { code: number; meaning: string }[] {
  const kinds = Object.keys(exitCodes) as ErrorKind[];
  return [{ code: 0, meaning: "Done." }, ...kinds.map((kind) => ({ code: exitCodes[kind], meaning: meanings[kind] }))];
}

export function exitCodeOf(kind: ErrorKind): number {
  return exitCodes[kind];
}

/** What a failure looks like outside: in `--json` word for word, on the screen by `renderError`. */
export interface ErrorReport {
  kind: ErrorKind;
  message: string;
  server?: string;
  leftBehind?: string;
  remedy?: string;
  /** What happened on each of several servers. */
  failures?: ({ subject: string } & ErrorReport)[];
}

/**
 * Any thrown value as a report. What nobody foresaw is "failed", with the way to learn more.
 * @param flags the options that name where the command acted; see `Target.flags`
 */
export function reportOf(error: unknown, flags = ""): ErrorReport {
  if (error instanceof ContainariumError) {
    const { kind, message, server, leftBehind, remedy } = error;
    const report = { kind, message: oneLine(message), server, leftBehind, remedy: remedy && atTarget(remedy, flags) };
    if (!(error instanceof PartialFailureError)) return report;
    const failures = [...error.failures].map(([subject, cause]) => ({ subject, ...reportOf(cause, flags) }));
    return { ...report, failures };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === "AbortError") return { kind: "interrupted", message: "interrupted" };
  return {
    kind: "failed",
    message: oneLine(message) || "something went wrong and did not say what",
    remedy: "Run the same command with --verbose to see where it failed.",
  };
}

/**
 * The screen form: one line of cause, then indented what was left behind and what to do. A remedy's lines that are
 * commands get `Try:` before them.
 */
export function renderError(report: ErrorReport, subject?: string): string {
  const name = subject ?? report.server;
  const where = name !== undefined && !report.message.includes(name) ? name : undefined;
  const lines = [`error: ${where ? `${where}: ` : ""}${report.message}`];
  for (const { subject, message } of report.failures ?? []) lines.push(`  ${subject}: ${message}`);
  if (report.leftBehind) lines.push(`  Left behind: ${oneLine(report.leftBehind)}`);
  lines.push(...remedyLines(report.remedy).map((line) => `  ${line}`));
  return lines.join("\n") + "\n";
}

/** A remedy as the screen shows it. */
export function remedyLines(remedy = ""): string[] {
  const lines = remedy.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => `${isCommand(line) ? "Try:  " : ""}${line.trim()}`);
}

/** The library knows the commands' names, and nothing of npx and of options that say where to act. */
export function atTarget(remedy: string, flags: string): string {
  return remedy.replace(/^( *)(containarium-ops .*)$/gm, (_line, indent: string, words: string) => {
    return `${indent}npx ${words}${flags}`;
  });
}

/** Commands are indented, or begin with a program that we know. */
function isCommand(line: string): boolean {
  if (line.startsWith("  ")) return true;
  return /^\s*(npx|npm|pulumi|sudo|ssh|ssh-[a-z]+|incus|systemctl|chmod|cd) \S/.test(line);
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, "; ").trim();
}

/** One of several things that a command was to do, and how it failed. */
export interface Failure {
  /** A user or a server. */
  subject: string;
  error: unknown;
}

/**
 * The exit code of a command that was to do several things: nothing failed: 0; all failed in the same way: the code of
 * that way; otherwise "some of several failed".
 * @param succeeded how many went well
 */
export function exitCodeOfSeveral(failures: readonly Failure[], succeeded: number): number {
  const kinds = new Set(failures.map(({ error }) => reportOf(error).kind));
  const [only, ...others] = kinds;
  if (only === undefined) return 0;
  if (kinds.has("interrupted")) return exitCodes.interrupted;
  return succeeded === 0 && others.length === 0 ? exitCodes[only] : exitCodes.partial;
}
