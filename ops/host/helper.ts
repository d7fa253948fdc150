import { z } from "zod";
import {
  ConflictError,
  InvalidInputError,
  NotFoundError,
  OperationError,
  TimeoutError,
  type ErrorDetails,
} from "../errors";
import { interrupted, throwIfInterrupted } from "../wait";
import { HELPER_COMMAND } from "./commands";
import type { Connection, RunningCommand } from "./connection";
import { explainHelperEnd } from "./explain";
import type { HelperErrorCode, HelperRequest } from "./helper-protocol";

export interface HelperOptions {
  /**
   * Limit for the answer, in milliseconds. Default 60000; for changes of accounts, which wait for others, 240000; or what
   * the request itself allows and 15000 more.
   */
  timeoutMs?: number;
  signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** The helper waits up to 120 s for its own turn, and as long for account files; then it says who holds them. */
const ACCOUNTS_TIMEOUT_MS = 240_000;
const CHANGES_ACCOUNTS = new Set<HelperRequest["op"]>(["account.put", "account.remove", "rebuild", "peers.forget"]);

const answerSchema = z.union([
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({
    ok: z.literal(false),
    error: z.object({ code: z.string(), message: z.string(), remedy: z.string().optional() }),
  }),
]);

/**
 * Asks the host helper: one JSON object in, one out.
 *
 * @throws one of our errors, by the helper's error code
 */
export async function askHelper(
  connection: Connection,
  request: HelperRequest,
  options: HelperOptions = {},
): Promise<unknown> {
  throwIfInterrupted(options.signal);
  const command = await connection.run(HELPER_COMMAND);
  const { stdout, stderr, code } = await talk(
    command,
    JSON.stringify(request),
    limitOf(request, options),
    () => {
      return new TimeoutError(`the host helper on ${connection.name} did not answer ${request.op} in time`, {
        server: connection.name,
      });
    },
    options.signal,
  );
  const answer = answerSchema.safeParse(parseJson(stdout));
  if (!answer.success) throw explainHelperEnd(connection.name, { code, stderr });
  if (answer.data.ok) return answer.data.result;
  throw helperError(connection.name, answer.data.error);
}

/** From the helper's error to ours. */
export function helperError(
  server: string,
  { code, message, remedy }: { code: HelperErrorCode | (string & {}); message: string; remedy?: string },
): Error {
  const details: ErrorDetails = { server, remedy };
  switch (code) {
    case "invalid":
      return new InvalidInputError(message, details);
    case "not-found":
      return new NotFoundError(message, details);
    case "conflict":
      return new ConflictError(message, details);
    case "locked":
      return new ConflictError(message, { ...details, remedy: remedy ?? "Somebody else is at work there; try again." });
    default:
      return new OperationError(message, details);
  }
}

interface Talk {
  stdout: string;
  stderr: string;
  code: number | null;
}

function talk(
  command: RunningCommand,
  input: string,
  timeoutMs: number,
  timeoutError: () => Error,
  signal?: AbortSignal,
): Promise<Talk> {
  return new Promise((resolve, reject) => {
    const stdout = collect(command.stdout);
    const stderr = collect(command.stderr);
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const giveUp = (error: Error): void => {
      settle();
      command.kill();
      reject(error);
    };
    const onAbort = (): void => giveUp(interrupted(signal));
    const timer = setTimeout(() => giveUp(timeoutError()), timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    void command.ended.then(({ code }) => {
      settle();
      resolve({ stdout: stdout(), stderr: stderr(), code });
    });
    command.stdin.end(input);
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", () => undefined);
  return () => Buffer.concat(chunks).toString("utf8").trim();
}

function limitOf(request: HelperRequest, options: HelperOptions): number {
  if (options.timeoutMs !== undefined) return options.timeoutMs;
  if ("timeoutSeconds" in request) return (request.timeoutSeconds + 15) * 1000;
  return CHANGES_ACCOUNTS.has(request.op) ? ACCOUNTS_TIMEOUT_MS : DEFAULT_TIMEOUT_MS;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
