import type { Duplex, Readable } from "node:stream";
import type { Socket } from "node:net";
import type { Logger } from "pino";
import { Pool, type Dispatcher } from "undici";
import { ContainariumError, TimeoutError } from "../errors";
import { interrupted, throwIfInterrupted } from "../wait";
import { IncusUnavailableError } from "./incus-error";

/** Opens one connection to Incus: a unix socket, or an SSH channel that ends at one. Throws our own errors. */
export type OpenStream = () => Promise<Duplex>;

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface RawRequest {
  method: Method;
  /** With its query, for example `/1.0/instances?recursion=2`. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer | Readable;
  /** Limit for the whole answer, in milliseconds. Default 60000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface RawResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

type ResponseBody = Dispatcher.ResponseData["body"];

/** sshd allows 10 sessions on one connection (MaxSessions); the host helper needs some of them. */
const CONNECTIONS = 4;
/** Incus closes an idle connection within a minute: be the one who lets go first. */
const IDLE_MS = 20_000;
const DEFAULT_TIMEOUT_MS = 60_000;

/** HTTP over streams that somebody else opens, with keep-alive. The lowest rung: no JSON, no meaning. */
export class Transport {
  private readonly pool: Pool;

  constructor(
    /** For what is no HTTP request and answer: websockets. */
    readonly openStream: OpenStream,
    readonly server?: string,
    private readonly logger?: Logger,
  ) {
    this.pool = new Pool("http://incus", {
      connections: CONNECTIONS,
      pipelining: 1,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      // Limits are set per request: a wait for an operation may be silent for long.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (_options, done) => {
        openStream().then(
          // undici asks of a socket only what every Duplex has (lib/dispatcher/client-h1.js).
          (stream) => done(null, stream as Socket),
          (error: Error) => done(error, null),
        );
      },
    });
  }

  /** The whole answer. */
  async raw(request: RawRequest): Promise<RawResponse> {
    return this.send(request, async (body) => Buffer.from(await body.arrayBuffer()));
  }

  /** The answer's body flows: read it to its end, or destroy it. Errors on the way come from it as they are. */
  async stream(request: RawRequest): Promise<Omit<RawResponse, "body"> & { body: Readable }> {
    return this.send(request, (body) => Promise.resolve(body));
  }

  private async send<T>(request: RawRequest, read: (body: ResponseBody) => Promise<T>) {
    throwIfInterrupted(request.signal);
    const began = Date.now();
    const limit = AbortSignal.timeout(request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const signal = request.signal === undefined ? limit : AbortSignal.any([limit, request.signal]);
    try {
      const { statusCode, headers, body } = await this.pool.request({
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body,
        signal,
      });
      return { status: statusCode, headers, body: await read(body) };
    } catch (error) {
      if (request.signal?.aborted === true) throw interrupted(request.signal);
      if (limit.aborted) throw this.timeout(request);
      throw this.translate(error);
    } finally {
      const { method, path } = request;
      this.logger?.debug({ server: this.server, method, path, milliseconds: Date.now() - began }, "Incus");
    }
  }

  /** Ends all connections, also those in use. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private timeout(request: RawRequest): TimeoutError {
    const seconds = (request.timeoutMs ?? DEFAULT_TIMEOUT_MS) / 1000;
    return new TimeoutError(`Incus did not answer ${request.method} ${request.path} within ${seconds}s`, {
      server: this.server,
    });
  }

  private translate(error: unknown): Error {
    if (error instanceof ContainariumError) return error;
    const cause = error as Error & { code?: string };
    return new IncusUnavailableError(this.server, cause.message, cause);
  }
}
