import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { parseUserName } from "../containers/user-name";
import { ContainariumError } from "../errors";
import type { Server } from "../host/server";

/** What is done, in the words of the command line: `create`, `keys add`. */
export interface Operation {
  operation: string;
  user?: string;
  /** What else belongs to it: a snapshot's name, an address. */
  detail?: string;
}

const TIMEOUT_MS = 15_000;

/** The servers on which an operation is under way: one inside another is a part of it. */
const underWay = new AsyncLocalStorage<ReadonlySet<string>>();

/**
 * Does the work and has the server record its begin and its end: one pair for each operation, whoever asks for it. One
 * that was killed has no end. The begin is written while the work begins, so that it costs no time.
 *
 * A record that cannot be written keeps nobody from working: a full disk must not make it impossible to delete.
 */
export async function recordOperation<T>(server: Server, operation: Operation, work: () => Promise<T>): Promise<T> {
  const outer = underWay.getStore() ?? new Set<string>();
  if (outer.has(server.name)) return work();
  const id = randomUUID();
  const { user = "", detail = "" } = operation;
  if (user !== "") parseUserName(user);
  const write = async (request: Parameters<Server["helper"]>[0]): Promise<void> => {
    try {
      await server.helper(request, { timeoutMs: TIMEOUT_MS });
    } catch (error) {
      server.logger?.warn({ server: server.name, ...operation, reason: (error as Error).message }, "not recorded");
    }
  };
  const begun = write({ op: "audit.begin", id, operation: operation.operation, user, detail });
  const end = async (result: "done" | "failed" | "interrupted", message = ""): Promise<void> => {
    await begun;
    await write({ op: "audit.end", id, result, message });
  };
  let done: T;
  try {
    done = await underWay.run(new Set([...outer, server.name]), work);
  } catch (error) {
    await end(wasInterrupted(error) ? "interrupted" : "failed", error instanceof Error ? error.message : "");
    throw error;
  }
  await end("done");
  return done;
}

function wasInterrupted(error: unknown): boolean {
  return error instanceof ContainariumError
    ? error.kind === "interrupted"
    : error instanceof Error && error.name === "AbortError";
}
