import type { Logger } from "pino";

import { ContainariumError } from "../ops/errors";
import type { Context, Result } from "./commands/command";
import { processIo } from "./io";
import type { Io, OutputStream } from "./io";
import { exitCodeOf, exitCodeOfSeveral, renderError, reportOf } from "./output/error";
import { paintFor } from "./output/paint";
import { printableJson } from "./output/printable";
import { progressOn } from "./output/progress";
import { shellWord } from "./output/shell-word";
import type { GlobalOptions, Request } from "./parse";
import { realServices } from "./services";
import type { Services } from "./services";
import { flagsOf } from "./target-flags";
import type { Target } from "./target";
import { readVersion } from "./version";

/** Of every `--json` document. A change that breaks readers raises it. */
const jsonSchema = 1;

/**
 * Parse, run, print, exit code. Never throws, never exits.
 * @param argv the command line without `node` and the program's name
 */
export async function main(argv: string[], io: Io, services: Services = realServices): Promise<number> {
  if (argv.length === 1 && argv[0] === "--version") {
    io.stdout.write(`${readVersion()}\n`);
    return 0;
  }
  let request: Request;
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- all commands, which `--version` can do without
    const { parseCommandLine } = require("./parse") as typeof import("./parse");
    request = await parseCommandLine(argv);
  } catch (error) {
    return fail(error, { json: argv.includes("--json"), verbose: argv.includes("--verbose") }, io);
  }
  if (request.kind === "show") {
    io.stdout.write(`${request.text}\n`);
    return 0;
  }
  const { command, args, global } = request;
  const session = openSession(global, io, services);
  try {
    return report(await command.run(args, session.context), global, io);
  } catch (error) {
    session.context.progress.clear();
    return fail(io.signal.aborted ? interrupted(error, argv) : error, global, io);
  } finally {
    await session.close();
  }
}

function openSession(global: GlobalOptions, io: Io, services: Services) {
  const progress = progressOn(io);
  let opened: Promise<Target> | undefined;
  const context: Context = {
    io,
    services,
    progress,
    yes: global.yes,
    target: () => {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- `--help` needs none of it
      const { openTarget } = require("./target") as typeof import("./target");
      opened ??= openTarget(global, {
        io,
        services,
        progress,
        logger: global.verbose ? loggerOn(io.stderr) : undefined,
      });
      return opened;
    },
  };
  const close = async () => {
    const target = await opened?.catch(() => undefined);
    await Promise.resolve(target?.servers.close()).catch(() => undefined);
  };
  return { context, close };
}

/** What `--verbose` shows: one line of JSON for everything that is asked of a server. */
function loggerOn(stream: OutputStream): Logger {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- seldom needed
  const { pino } = require("pino") as typeof import("pino");
  return pino({ level: "debug", base: undefined }, { write: (line) => void stream.write(line) });
}

/** Data on stdout; what failed, if anything, on stderr. */
function report(
  { json, text, printed = false, failures = [], succeeded = 1, verdict }: Result,
  global: GlobalOptions,
  io: Io,
): number {
  const failed = failures.map(({ subject, error }) => ({ subject, ...reportOf(error, flagsOf(global)) }));
  if (printed) return exitCodeOfSeveral(failures, succeeded);
  if (global.json) io.stdout.write(`${printableJson({ schema: jsonSchema, ...json, failures: failed })}\n`);
  else if (text !== "") io.stdout.write(`${text}\n`);
  for (const { subject, error } of failures) showError(error, global, io, subject);
  return verdict === undefined ? exitCodeOfSeveral(failures, succeeded) : exitCodeOf(verdict);
}

/** What the showing of an error depends on; known in part even when the command line could not be read. */
type ShowOptions = Pick<GlobalOptions, "json" | "verbose"> & Partial<GlobalOptions>;

function fail(error: unknown, global: ShowOptions, io: Io): number {
  const failure = reportOf(error, flagsOf(global));
  if (global.json) io.stdout.write(`${printableJson({ schema: jsonSchema, error: failure })}\n`);
  showError(error, global, io);
  return exitCodeOf(failure.kind);
}

function showError(error: unknown, global: ShowOptions, io: Io, subject?: string): void {
  const paint = paintFor(io.stderr, io.env);
  io.stderr.write(renderError(reportOf(error, flagsOf(global)), subject).replace(/^error:/, paint.bad("error:")));
  if (!global.verbose || !(error instanceof Error)) return;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    io.stderr.write(`${cause === error ? "" : "caused by "}${cause.stack ?? cause.message}\n`);
  }
}

/** After Ctrl-C every failure is the interruption; what it left behind comes from where it happened. */
function interrupted(error: unknown, argv: string[]): ContainariumError {
  const details = error instanceof ContainariumError ? error : undefined;
  return new ContainariumError("interrupted", "interrupted", {
    server: details?.server,
    leftBehind: details?.leftBehind,
    remedy: `Running it again completes it:\n  npx containarium-ops ${argv.map(shellWord).join(" ")}`,
    cause: error,
  });
}

/** The program itself. The first Ctrl-C asks the work to stop and to clean up, the second ends it. */
export async function runMain(): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(exitCodeOf("interrupted"));
    process.stderr.write("\nStopping and cleaning up; press Ctrl-C again to leave at once.\n");
    stop.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  // `containarium-ops list | head -1` is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  try {
    return await main(process.argv.slice(2), processIo(stop.signal));
  } finally {
    process.removeListener("SIGINT", onSignal);
    process.removeListener("SIGTERM", onSignal);
  }
}
