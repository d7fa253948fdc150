import { parsePublicKey, summarizeKey, uniqueKeys } from "../../ops/keys/public-key";
import type { PublicKey } from "../../ops/keys/public-key";
import { parseKeySelector } from "../../ops/keys/select";
import type { KeySelector } from "../../ops/keys/select";
import type { Failure } from "../output/error";
import type { KeyChange, Server } from "../services";
import type { DesiredContainer } from "../stack/config-text";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import { announce } from "./announce";
import type { Context, Result } from "./command";
import { findUser } from "./find-user";
import { readKeys, refuseSecondStdin } from "./key-files";
import type { KeyIo } from "./key-files";
import { renderKeys } from "./keys-list";
import { recordEdits } from "./record";

export const newKeyOption = {
  type: "string",
  array: true,
  nargs: 1,
  requiresArg: true,
  demandOption: "Give the user's public key:  --ssh-key alice.pub",
  describe: "file with a public key, - for standard input; may come several times",
} as const;

export const oldKeyOption = {
  type: "string",
  array: true,
  nargs: 1,
  requiresArg: true,
  describe: "comment, SHA256:... fingerprint, or file (*.pub or with a /) of a key; may come several times",
} as const;

export async function readNewKeys(files: string[], command: string, user: string, io: KeyIo): Promise<PublicKey[]> {
  refuseSecondStdin(files);
  const keys: PublicKey[] = [];
  for (const file of files) keys.push(...(await readKeys(file, command, user, io)));
  return uniqueKeys(keys);
}

/** A fingerprint begins with its algorithm, a file ends with .pub or is a path; all else is a comment. */
export async function readSelectors(texts: string[], command: string, user: string, io: KeyIo): Promise<KeySelector[]> {
  const selectors: KeySelector[] = [];
  for (const text of texts) {
    const isFile = !/^[A-Z0-9]+:/.test(text) && /\/|\.pub$/.test(text);
    if (!isFile) selectors.push(parseKeySelector(text, "--key"));
    else selectors.push(...(await readKeys(text, command, user, io)).map((key) => ({ key })));
  }
  return selectors;
}

interface Job {
  timeoutMs: number;
  /** The command that does it again, with placeholders for what only the administrator knows. */
  again: string;
}

/**
 * Changes keys on the server first, since a lost key is urgent, then tells the other servers and the stack.
 * @param change is given the keys that the stack's config has, which an interrupted change may have left there
 */
export async function changeUserKeys(
  user: string,
  { timeoutMs, again }: Job,
  context: Context,
  change: (server: Server, alsoKnown: PublicKey[]) => Promise<KeyChange>,
): Promise<Result> {
  const started = performance.now();
  const target = await context.target();
  const recorded = (await target.stack?.desired())?.find((entry) => entry.user === user);
  const { server } = await findUser(user, target, context);
  context.progress.doing(`Changing the keys of ${user}...`);
  const changed = await change(server, (recorded?.sshKeys ?? []).map(parseRecorded));
  context.progress.done(titleOf(changed), server.name, performance.now() - started);
  if (changed.sessionsCut) context.progress.note(`Live sessions of ${user} were cut`);
  const [, unrecorded] = await Promise.all([
    announce([server.name], target, context),
    record(changed, target, { again, timeoutMs }, context),
  ]);
  return {
    json: {
      user,
      server: server.name,
      keys: changed.keys.map(summarizeKey),
      added: changed.added.map(summarizeKey),
      removed: changed.removed.map(summarizeKey),
    },
    text: changed.keys.length > 0 ? renderKeys(changed.keys) : `${user} has no key and cannot log in.`,
    failures: unrecorded,
    succeeded: 1 - unrecorded.length,
  };
}

function titleOf({ user, added, removed }: KeyChange): string {
  const counts = [
    ...(added.length > 0 ? [`added ${added.length}`] : []),
    ...(removed.length > 0 ? [`removed ${removed.length}`] : []),
  ];
  return counts.length > 0 ? `Keys of ${user}: ${counts.join(", ")}` : `Keys of ${user} were so already`;
}

function record(
  { user, keys, removed }: KeyChange,
  target: Target,
  { again, timeoutMs }: Pick<Job, "again" | "timeoutMs">,
  context: Context,
): Promise<Failure[]> {
  const recording = {
    timeoutMs,
    otherwise: `the keys of ${user} are changed, but not in ${target.label}`,
    leftBehind: () => undefined,
    again: () => nextCommand(target, again),
  };
  return recordEdits(target, [{ user, apply: (entry) => withKeys(entry, keys, removed) }], recording, context);
}

/** Key by key, so that another administrator's key that was recorded meanwhile stays. */
function withKeys(entry: DesiredContainer, keys: PublicKey[], removed: PublicKey[]): DesiredContainer {
  const gone = new Set(removed.map(({ blob }) => blob));
  const kept = entry.sshKeys.map(parseRecorded).filter(({ blob }) => !gone.has(blob));
  return { ...entry, sshKeys: uniqueKeys([...kept, ...keys]).map(({ line }) => line) };
}

function parseRecorded(line: string): PublicKey {
  return parsePublicKey(line, "a key in the stack's config");
}
