import type { Failure } from "../output/error";
import type { Server } from "../services";
import { localName } from "../target-flags";
import type { Target } from "../target";
import type { Context } from "./command";
import { refuseUnknownServer } from "./create";

export const serverOption = { type: "string", requiresArg: true, describe: "this server only [default: all]" } as const;

/**
 * The same on one server or on all of them, at once; one that fails does not keep the others from theirs.
 * @throws NotFoundError for a server that the target does not have; what went wrong, when it has only one
 */
export async function eachServer<T>(
  only: string | undefined,
  target: Target,
  { io }: Pick<Context, "io">,
  work: (server: Server) => Promise<T>,
): Promise<{ done: T[]; failures: Failure[] }> {
  refuseUnknownServer(only, target);
  const all = target.addresses.length > 0 ? target.addresses.map(({ name }) => name) : [localName];
  const names = only === undefined ? all : [only];
  const settled = await Promise.allSettled(names.map(async (name) => work(await target.servers.server(name))));
  const done: T[] = [];
  const failures: Failure[] = [];
  settled.forEach((result, index) => {
    if (result.status === "fulfilled") done.push(result.value);
    else if (names.length === 1) throw result.reason;
    else failures.push({ subject: names[index]!, error: result.reason });
  });
  // Ctrl-C made them fail; that is no news of theirs.
  if (done.length === 0) io.signal.throwIfAborted();
  return { done, failures };
}
