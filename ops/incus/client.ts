import type { Logger } from "pino";
import { OperationError } from "../errors";
import { Images } from "./images";
import { Instances } from "./instances";
import { Networks } from "./networks";
import { Operation, type OperationOptions } from "./operation";
import { queryOver, type Query, type QueryRequest } from "./query";
import { Transport, type OpenStream } from "./transport";
import type { OperationData, ServerInfo, Tagged } from "./types";

export interface IncusClientOptions {
  /** Name of the server, for messages. */
  server?: string;
  /** Is told of every request. */
  logger?: Logger;
  /** Ends Incus' process for the files of an instance that nobody reaches; Incus starts another. */
  endFileServer?: (instance: string) => Promise<unknown>;
}

export type RequestOptions = Omit<QueryRequest, "method" | "path"> & OperationOptions;

/**
 * Client of Incus' REST API over any stream. Knows nothing of SSH: who makes it gives the function that opens streams.
 *
 * The rungs: `transport.raw` (bytes) -> `query` (JSON, errors) -> `get`, `post`, ... (typed; waits when Incus answers
 * with a background operation) and `operation` (the background operation as a value).
 */
export class IncusClient {
  readonly instances = new Instances(this);
  readonly images = new Images(this);
  readonly networks = new Networks(this);
  readonly transport: Transport;
  readonly query: Query;

  constructor(
    openStream: OpenStream,
    private readonly options: IncusClientOptions = {},
  ) {
    this.transport = new Transport(openStream, options.server, options.logger);
    this.query = queryOver(this.transport);
  }

  /** Version, storage drivers, extensions: `GET /1.0`. */
  async server(options?: RequestOptions): Promise<ServerInfo> {
    return this.get<ServerInfo>("/1.0", options);
  }

  async get<T>(path: string, options?: RequestOptions): Promise<T> {
    return (await this.getTagged<T>(path, options)).value;
  }

  /** Also says which version was read, for a change with `etag`. */
  async getTagged<T>(path: string, options?: RequestOptions): Promise<Tagged<T>> {
    const { metadata, etag } = await this.query({ ...options, method: "GET", path });
    return { value: metadata as T, etag };
  }

  async post<T = unknown>(path: string, json?: unknown, options?: RequestOptions): Promise<T> {
    return this.change<T>({ ...options, method: "POST", path, json });
  }

  async put<T = unknown>(path: string, json: unknown, options?: RequestOptions): Promise<T> {
    return this.change<T>({ ...options, method: "PUT", path, json });
  }

  async patch<T = unknown>(path: string, json: unknown, options?: RequestOptions): Promise<T> {
    return this.change<T>({ ...options, method: "PATCH", path, json });
  }

  async delete<T = unknown>(path: string, options?: RequestOptions): Promise<T> {
    return this.change<T>({ ...options, method: "DELETE", path });
  }

  /** Begins a background operation and returns it: wait for it at once, or cancel it. */
  async operation(request: QueryRequest): Promise<Operation> {
    const answer = await this.query(request);
    if (answer.operation === undefined) {
      throw new OperationError(`Incus answered ${request.method} ${request.path} without an operation`, {
        server: this.transport.server,
      });
    }
    return new Operation(this.transport, answer.operation, (answer.metadata as OperationData).metadata ?? {});
  }

  /** Where the client was not told how, time has to do it. */
  async endFileServer(instance: string): Promise<void> {
    await this.options.endFileServer?.(instance).catch(() => undefined);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await this.transport.close();
  }

  /**
   * A change, and the wait for its end when it runs in the background. The limit is for the wait; the request itself
   * is short, unless it carries a stream.
   */
  private async change<T>(request: QueryRequest & OperationOptions): Promise<T> {
    const answer = await this.query(request);
    if (answer.operation === undefined) return answer.metadata as T;
    const operation = new Operation(this.transport, answer.operation);
    const done = await operation.wait({ timeoutMs: request.timeoutMs, signal: request.signal });
    return done.metadata as T;
  }
}
