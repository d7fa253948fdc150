import { setTimeout as sleep } from "node:timers/promises";
import { ContainariumError, OperationError, TimeoutError } from "../errors";
import { throwIfInterrupted } from "../wait";
import { incusError } from "./incus-error";
import { parseEnvelope } from "./query";
import type { Transport } from "./transport";
import type { OperationData } from "./types";

export interface OperationOptions {
  /** How long to wait at most, in milliseconds. Default 120000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 120_000;
/** One `/wait` request; several make up the whole limit, so that a lost connection is noticed. */
const ONE_WAIT_SECONDS = 30;

const RUNNING: OperationData = {
  id: "",
  description: "",
  status: "Running",
  status_code: 103,
  metadata: null,
  err: "",
};

/** A background operation of Incus: something to wait for, or to cancel. */
export class Operation {
  constructor(
    private readonly transport: Transport,
    /** `/1.0/operations/<id>` */
    readonly path: string,
    /** What it said when it began, for example the secrets of its websockets. */
    readonly begun: Record<string, unknown> = {},
  ) {}

  /**
   * Waits until it is over. Call at once: Incus forgets a finished operation after five seconds.
   *
   * @returns what the operation left behind (`metadata`)
   * @throws the operation's error; TimeoutError when the limit passed, and then the operation is asked to stop
   */
  async wait(options: OperationOptions = {}): Promise<OperationData> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const deadline = Date.now() + timeoutMs;
    try {
      for (;;) {
        throwIfInterrupted(options.signal);
        const left = Math.max(1, Math.ceil((deadline - Date.now()) / 1000));
        const asked = Date.now();
        const data = await this.look(Math.min(left, ONE_WAIT_SECONDS), options.signal);
        // Only the status code tells: a wait that ran out of time says how the operation is.
        if (data.status_code >= 200) return this.outcome(data);
        if (Date.now() >= deadline) {
          throw new TimeoutError(`Incus: "${data.description}" is not done after ${timeoutMs / 1000}s`, {
            server: this.transport.server,
          });
        }
        // Never turn an answer that comes too early into a busy loop.
        if (Date.now() - asked < 100) await sleep(100);
      }
    } catch (error) {
      if (error instanceof ContainariumError && (error.kind === "timeout" || error.kind === "interrupted")) {
        await this.cancel().catch(() => undefined);
      }
      throw error;
    }
  }

  /** Asks it to stop; not every operation can. */
  async cancel(): Promise<void> {
    await this.transport.raw({ method: "DELETE", path: this.path, timeoutMs: 5000 });
  }

  /** How it is after so long, or as soon as it is over. */
  private async look(seconds: number, signal?: AbortSignal): Promise<OperationData> {
    const data = await this.ask(`${this.path}/wait?timeout=${seconds}`, seconds, signal);
    return data ?? (await this.ask(this.path, seconds, signal)) ?? { ...RUNNING, id: this.path };
  }

  /** Undefined when the wait ran out of time: Incus tells that as an error (6.0.4), as if the operation had failed. */
  private async ask(path: string, seconds: number, signal?: AbortSignal): Promise<OperationData | undefined> {
    const { server } = this.transport;
    const response = await this.transport.raw({ method: "GET", path, timeoutMs: (seconds + 15) * 1000, signal });
    if (response.status === 404) {
      throw new OperationError("Incus forgot the operation before its outcome was read", {
        server,
        remedy: "Look at what exists, then run the command again.",
      });
    }
    const envelope = parseEnvelope(response.body, `GET ${path}`, response.status, server);
    if (envelope.type === "error" && envelope.error === "context deadline exceeded") return undefined;
    // The wait for an operation that failed is an error answer with HTTP status 200 (6.0.4).
    if (envelope.type === "error") throw incusError(envelope.error_code ?? 500, envelope.error ?? "", path, server);
    return envelope.metadata as OperationData;
  }

  private outcome(data: OperationData): OperationData {
    if (data.status_code === 200) return data;
    throw incusError(data.status_code, data.err, data.description, this.transport.server);
  }
}
