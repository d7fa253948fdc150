import type { Failure } from "../output/error";
import type { Server } from "../services";
import type { Target } from "../target";
import type { Context } from "./command";

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
