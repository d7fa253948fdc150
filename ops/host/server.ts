import type { Duplex } from "node:stream";
import pLimit from "p-limit";
import type { Logger } from "pino";
import type { ServerAddress } from "../fleet/inventory";
import { IncusClient } from "../incus/client";
import type { Connection } from "./connection";
import { HostHelper, type HelperOptions } from "./helper";
import type { HelperOp, HelperRequest, HelperResult } from "./helper-protocol";
import { LocalConnection } from "./local-connection";
import { connectSsh, type SshOptions } from "./ssh-connection";

/** A server by its address, or this machine as a server. */
export type ServerTarget = ServerAddress | LocalTarget;

export interface LocalTarget {
  local: true;
  name: string;
}

export type OpenOptions = SshOptions;

/** The result follows from the request's `op`; or say its type, when only a part of it is wanted. */
export interface AskHelper {
  <Op extends HelperOp>(request: HelperRequest<Op>, options?: HelperOptions): Promise<HelperResult<Op>>;
  <T>(request: HelperRequest, options?: HelperOptions): Promise<T>;
}

/** One server that we are connected to. Close it when done: an open connection keeps the process alive. */
export interface Server {
  readonly name: string;
  /** The REST API of its Incus. */
  readonly incus: IncusClient;
  /** Progress for developers; undefined is silence. */
  readonly logger?: Logger;
  /** Asks its root-owned host helper. */
  helper: AskHelper;
  /** A TCP connection that begins on the server, for example to a container's port 22. */
  dial(address: string, port: number): Promise<Duplex>;
  close(): Promise<void>;
}

/** Each is a process on the server. */
const REQUESTS_AT_ONCE = 16;

/**
 * Connects to a server. Its host key must be one of those pinned in the target.
 *
 * @throws UnreachableError, HostKeyError, AuthenticationError
 */
export async function openServer(target: ServerTarget, options: OpenOptions = {}): Promise<Server> {
  const connection = isLocal(target) ? new LocalConnection(target.name) : await connectSsh(target, options);
  return serverOver(connection, options.logger);
}

/** Connects, does the work, and closes whatever happens. */
export async function withServer<T>(
  target: ServerTarget,
  options: OpenOptions,
  work: (server: Server) => Promise<T>,
): Promise<T> {
  const server = await openServer(target, options);
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

/** The one place where Incus and the connection meet: the client gets a function that opens streams. */
export function serverOver(connection: Connection, logger?: Logger): Server {
  const { name } = connection;
  const limit = pLimit(REQUESTS_AT_ONCE);
  const incus = new IncusClient(() => connection.openIncus(), {
    server: name,
    logger,
    endFileServer: (instance) => helper({ op: "files.mend", name: instance }),
  });
  const host = new HostHelper(connection);
  const helper = async (request: HelperRequest, options?: HelperOptions): Promise<unknown> => {
    const began = Date.now();
    try {
      return await limit(() => host.ask(request, options));
    } finally {
      logger?.debug({ server: name, op: request.op, milliseconds: Date.now() - began }, "helper");
    }
  };
  return {
    name,
    incus,
    logger,
    helper: helper as AskHelper,
    dial: (address, port) => connection.dial(address, port),
    async close() {
      await incus.close();
      host.close();
      await connection.close();
    },
  };
}

function isLocal(target: ServerTarget): target is LocalTarget {
  return "local" in target && target.local;
}
