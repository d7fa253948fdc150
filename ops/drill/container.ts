import { OperationError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { waitFor } from "../wait";
import type { After, Before } from "./losses";
import { ACKNOWLEDGED_FILE, cleanUpCommand, examineCommand, prepareCommand } from "./scripts";

/** A hundred small files, on a busy server. */
const TIMEOUT_MS = 60_000;
/** Fewer would prove little. */
const LEAST_LINES = 3;

/** Begins to write in a container, and takes a sample of its home; returns when the first lines are on disk. */
export async function beginWriting(server: Server, name: string, drill: string, options?: RequestOptions) {
  const [files, digest] = await ask(server, name, prepareCommand(drill), /^(\d{1,4}) ([0-9a-f]{64})$/, options);
  await waitFor(async () => (await acknowledgedLines(server, name, options)) >= LEAST_LINES, {
    timeoutMs: TIMEOUT_MS,
    what: `lines to be on the disk of ${name}`,
    server: server.name,
    signal: options?.signal,
  });
  return { homeFiles: Number(files), homeDigest: digest! };
}

/** How far the writer has come: so many lines are on disk. */
export async function acknowledgedLines(server: Server, name: string, options?: RequestOptions): Promise<number> {
  const text = await server.incus.instances
    .files(name)
    .get(ACKNOWLEDGED_FILE, options)
    .catch(() => Buffer.from("0"));
  const match = /^(\d{1,7})\n?$/.exec(text.toString("latin1"));
  return Number(match?.[1] ?? 0);
}

/** What is there of it, after its server was away. */
export async function examine(
  server: Server,
  name: string,
  { acknowledged }: Pick<Before, "acknowledged">,
  options?: RequestOptions,
): Promise<Omit<After, "hostKeys">> {
  const answer = /^(\d{1,7}) ([0-9a-f]{64}) ([0-9a-f]{64}) (\d{1,4})$/;
  const [lines, digest, homeDigest, changed] = await ask(server, name, examineCommand(acknowledged), answer, options);
  return { lines: Number(lines), digest: digest!, homeDigest: homeDigest!, changedFiles: Number(changed) };
}

/** Ends what writes there, and removes its files; fine when there is nothing. */
export async function cleanUp(server: Server, name: string): Promise<void> {
  await server.incus.instances.exec(name, cleanUpCommand, { timeoutMs: TIMEOUT_MS });
}

/** The container's people may say what they like there: only what looks as it should counts, and none of it is shown. */
async function ask(
  server: Server,
  name: string,
  command: readonly string[],
  answer: RegExp,
  options?: RequestOptions,
): Promise<string[]> {
  const { code, stdout } = await server.incus.instances.execOutput(name, command, {
    timeoutMs: TIMEOUT_MS,
    ...options,
  });
  const match = answer.exec(stdout.slice(0, 200).trim());
  if (code !== 0 || match === null) {
    const what = code === 0 ? "an answer that is none" : `exit code ${code}`;
    throw new OperationError(`${name}: the drill's script gave ${what}`, { server: server.name });
  }
  return match.slice(1);
}
