import { createInterface } from "node:readline";
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

type Answer = z.infer<typeof answerSchema>;

/**
 * The root-owned host helper of a server. It is started with the first request and stays as long as the connection: to
 * start it takes longer than most of its answers.
 */
export class HostHelper {
  private session: Promise<Session> | undefined;

  constructor(private readonly connection: Connection) {}

  /**
   * One JSON object in, one out. Whoever gives up waiting does not end what it does.
   *
   * @throws one of our errors, by the helper's error code
   */
  async ask(request: HelperRequest, options: HelperOptions = {}): Promise<unknown> {
    throwIfInterrupted(options.signal);
    const session = await this.open();
    const answer = await within(session.ask(JSON.stringify(request)), limitOf(request, options), options.signal, () => {
      return new TimeoutError(`the host helper on ${this.connection.name} did not answer ${request.op} in time`, {
        server: this.connection.name,
      });
    });
    if (answer.ok) return answer.result;
    throw helperError(this.connection.name, answer.error);
  }

  /** It ends when it has answered what it was asked. */
  close(): void {
    this.session?.then(
      (session) => session.close(),
      () => undefined,
    );
  }

  private async open(): Promise<Session> {
    if ((await this.session)?.isOver === true) this.session = undefined;
    this.session ??= this.connection.run(HELPER_COMMAND).then(
      (command) => new Session(command, this.connection.name),
      (error: unknown) => {
        this.session = undefined;
        throw error;
      },
    );
    return this.session;
  }
}

const MAXIMUM_STDERR = 4096;

/** The helper while it runs. */
class Session {
  private end: Error | undefined;
  private readonly waiting = new Map<string, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  private asked = 0;
  private stderr = "";

  constructor(
    private readonly command: RunningCommand,
    private readonly server: string,
  ) {
    // A pipe that breaks says only that; the end of the command says why.
    for (const stream of [command.stdin, command.stdout, command.stderr]) stream.on("error", () => undefined);
    createInterface({ input: command.stdout }).on("line", (line) => this.answered(line));
    command.stderr.on("data", (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk.toString("utf8")).slice(-MAXIMUM_STDERR);
    });
    void command.ended.then(({ code }) => {
      this.end = explainHelperEnd(server, { code, stderr: this.stderr.trim() });
      for (const { reject } of this.waiting.values()) reject(this.end);
    });
  }

  get isOver(): boolean {
    return this.end !== undefined;
  }

  ask(request: string): Promise<Answer> {
    const number = String((this.asked += 1));
    return new Promise((resolve, reject) => {
      if (this.end !== undefined) return reject(this.end);
      this.waiting.set(number, { resolve, reject });
      this.command.stdin.write(`${number} ${request}\n`);
    });
  }

  close(): void {
    this.command.stdin.end();
  }

  private answered(line: string): void {
    const [number = ""] = line.split(" ", 1);
    const answer = answerSchema.safeParse(parseJson(line.slice(number.length)));
    const waiting = this.waiting.get(number);
    this.waiting.delete(number);
    if (answer.success) waiting?.resolve(answer.data);
    else waiting?.reject(explainHelperEnd(this.server, { code: null, stderr: line }));
  }
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

async function within<T>(
  answer: Promise<T>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  timeoutError: () => Error,
): Promise<T> {
  const limit = AbortSignal.timeout(Math.ceil(timeoutMs));
  const either = signal === undefined ? limit : AbortSignal.any([limit, signal]);
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal?.aborted === true ? interrupted(signal) : timeoutError());
    either.addEventListener("abort", giveUp, { once: true });
    answer.then(resolve, reject).finally(() => either.removeEventListener("abort", giveUp));
  });
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
