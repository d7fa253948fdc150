import { OperationError } from "../errors";
import { incusError } from "./incus-error";
import type { RawRequest, Transport } from "./transport";
import type { Envelope } from "./types";

/** One JSON request and its checked answer. */
export type Query = (request: QueryRequest) => Promise<QueryAnswer>;

export interface QueryRequest extends Omit<RawRequest, "body"> {
  json?: unknown;
  body?: RawRequest["body"];
  /** Change only the version that was read with this tag. */
  etag?: string;
}

export interface QueryAnswer {
  metadata: unknown;
  etag: string;
  /** Path of the background operation that the request began, if it began one. */
  operation?: string;
}

/** The second rung: JSON in and out, error answers become errors. */
export function queryOver(transport: Transport): Query {
  return async (request) => {
    const response = await transport.raw({
      ...request,
      body: request.json === undefined ? request.body : JSON.stringify(request.json),
      headers: {
        ...(request.json === undefined ? {} : { "content-type": "application/json" }),
        ...(request.etag === undefined ? {} : { "if-match": request.etag }),
        ...request.headers,
      },
    });
    const what = `${request.method} ${request.path}`;
    const envelope = parseEnvelope(response.body, what, response.status, transport.server);
    if (envelope.type === "error" || response.status >= 400) {
      throw incusError(envelope.error_code || response.status, envelope.error ?? "", what, transport.server);
    }
    const etag = response.headers["etag"];
    return {
      metadata: envelope.metadata,
      etag: typeof etag === "string" ? etag : "",
      operation: envelope.type === "async" ? envelope.operation : undefined,
    };
  };
}

/** Throws when a body is not one of Incus' answers. */
export function parseEnvelope(body: Buffer, what: string, status: number, server?: string): Envelope {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value === "object" && value !== null && "type" in value) return value as Envelope;
  } catch {
    // Falls through: said below, with what came.
  }
  const begin = body.toString("utf8", 0, 80).replace(/\s+/g, " ");
  throw new OperationError(`Incus answered ${what} (${status}) with something that is not JSON: ${begin}`, { server });
}
