import { isDeepStrictEqual } from "node:util";

import { ContainariumError } from "../../ops/errors";
import { reportOf } from "../output/error";
import type { Failure } from "../output/error";
import type { DesiredChange, DesiredEdit } from "../stack/config-text";
import type { Stack } from "../stack/stack";
import type { Target } from "../target";
import type { Context } from "./command";

export interface Recording {
  change: DesiredChange;
  timeoutMs: number;
  /** The line of progress: "Recorded in stack prod". */
  title: string;
  /** What is true when the recording fails: "the container is ready, but not recorded in stack prod". */
  otherwise: string;
  /** What exists all the same, by user. */
  leftBehind(user: string): string | undefined;
  /** Ends a recording that was begun before. Left out: it is done now. */
  finish?: () => Promise<unknown>;
  /** The command that does it all again, by user; harmless where it was done. */
  again(user: string): string;
}

/**
 * Tells the stack what was done on a server. By now it is done: what fails here is said, with the way to heal it, and
 * takes nothing back.
 * @returns one failure for each user of the change
 */
export async function recordInStack(stack: Stack, recording: Recording, { io, progress }: Context): Promise<Failure[]> {
  const { change, timeoutMs, title, finish = () => stack.record(change, timeoutMs) } = recording;
  const started = performance.now();
  progress.doing(`${title}...`);
  try {
    await finish();
    progress.done(title, "", performance.now() - started);
    return [];
  } catch (error) {
    progress.failed(title);
    const why = io.signal.aborted ? "interrupted" : reportOf(error).message;
    const desired = await stack.desired().catch(() => []);
    const inConfig = new Set(desired.map(({ user }) => user));
    const isWritten = ({ user, apply }: DesiredEdit) =>
      desired.some((entry) => entry.user === user && isDeepStrictEqual(apply(entry), entry));
    const failure = (user: string, heals: string): Failure => ({
      subject: user,
      error: new ContainariumError(io.signal.aborted ? "interrupted" : "failed", `${recording.otherwise}: ${why}`, {
        leftBehind: recording.leftBehind(user),
        remedy: `To bring the stack up to date:\n  ${heals}`,
        cause: error,
      }),
    });
    // Where the config says already what is wanted, any update brings the state in line; else it is to be edited again.
    return [
      ...(change.put ?? []).map(({ user }) =>
        failure(user, inConfig.has(user) ? stack.updateCommand : recording.again(user)),
      ),
      ...(change.edit ?? []).map((edit) =>
        failure(edit.user, isWritten(edit) ? stack.updateCommand : recording.again(edit.user)),
      ),
      ...(change.remove ?? []).map((user) =>
        failure(user, inConfig.has(user) ? recording.again(user) : stack.updateCommand),
      ),
    ];
  }
}

/** As recordInStack, for changes of people who are there already: whom no stack names, none is told of. */
export async function recordEdits(
  { label, stack }: Target,
  edits: DesiredEdit[],
  recording: Omit<Recording, "change" | "title">,
  context: Context,
): Promise<Failure[]> {
  if (!stack || edits.length === 0) return [];
  const named = new Set((await stack.desired()).map(({ user }) => user));
  const [known, unknown] = [edits.filter(({ user }) => named.has(user)), edits.filter(({ user }) => !named.has(user))];
  for (const { user } of unknown) context.progress.note(`${label} does not name ${user}: nothing to record`);
  if (known.length === 0) return [];
  return recordInStack(stack, { ...recording, change: { edit: known }, title: `Recorded in ${label}` }, context);
}
