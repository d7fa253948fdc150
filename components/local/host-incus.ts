import { OperationError } from "../../ops/errors";
import { runOnHost } from "./host-command";

/**
 * This host's own Incus, in which the local target's machines live; through its command line, because that also works
 * for a user with nothing but sudo. (People's containers inside the machines are `ops`' business, over SSH.)
 */
export async function incus(...args: string[]): Promise<string> {
  return await runOnHost(["incus", ...args]);
}

/** What is at an API path; undefined when Incus says that there is none, or when it is an empty list. */
export async function queryIncus<T>(path: string): Promise<T | undefined> {
  try {
    const said = await incus("query", path);
    // An empty list, of storage pools for one, is printed as nothing at all.
    return said.trim() === "" ? undefined : (JSON.parse(said) as T);
  } catch (error) {
    if (error instanceof OperationError && /not found/i.test(error.message)) return undefined;
    throw translated(error);
  }
}

/** Writes a file into an instance, running or not, making its folders. */
export async function pushFile(instance: string, path: string, content: string, mode: string): Promise<void> {
  await runOnHost(["incus", "file", "push", "-q", "-p", "--mode", mode, "-", `${instance}${path}`], content);
}

function translated(error: unknown): unknown {
  if (
    !(error instanceof OperationError) ||
    !/daemon doesn't appear to be started|connection refused/i.test(error.message)
  ) {
    return error;
  }
  return new OperationError("Incus does not run on this host", {
    cause: error,
    remedy: "npm run quickstart  starts it.",
  });
}
