import type { Failure } from "../output/error";
import type { Server } from "../services";
import type { Target } from "../target";
import type { Context } from "./command";
import { refuseUnknownServer } from "./create";

/** What all servers say, side by side, and those that did not. */
export async function eachServer<T>(
  work: (server: Server) => Promise<T>,
  { io, progress, target: open }: Context,
): Promise<{ target: Target; results: T[]; failures: Failure[] }> {
  const target = await open();
  progress.doing("Asking the servers...");
  const { results, failures } = await target.servers.onEach(work);
  progress.clear();
  // Ctrl-C made them all fail; that is no news of theirs.
  io.signal.throwIfAborted();
  return { target, results, failures: [...failures].map(([subject, error]) => ({ subject, error })) };
}

export const serverOption = { type: "string", requiresArg: true, describe: "this server only [default: all]" } as const;

/**
 * The same on one server or on all of them, at once; one that fails does not keep the others from theirs.
 * @throws NotFoundError for a server that the target does not have; what went wrong, when only one was asked
 */
export async function onServers<T>(
  only: string | undefined,
  target: Target,
  { io }: Pick<Context, "io">,
  work: (server: Server) => Promise<T>,
): Promise<{ done: T[]; failures: Failure[] }> {
  refuseUnknownServer(only, target);
  if (only !== undefined) return { done: [await work(await target.servers.server(only))], failures: [] };
  const { results, failures } = await target.servers.onEach(work);
  io.signal.throwIfAborted();
  const [first] = failures.values();
  if (first !== undefined && results.length === 0 && failures.size === 1) throw first;
  return { done: results, failures: [...failures].map(([subject, error]) => ({ subject, error })) };
}
