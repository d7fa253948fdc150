import { ContainariumError } from "../../ops/errors";
import { reportOf } from "../output/error";
import type { Failure } from "../output/error";
import type { DesiredChange } from "../stack/config-text";
import type { Stack } from "../stack/stack";
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
  /** The command that does it all again, by user; harmless where it was done. */
  again(user: string): string;
}

/**
 * Tells the stack what was done on a server. By now it is done: what fails here is said, with the way to heal it, and
 * takes nothing back.
 * @returns one failure for each user of the change
 */
export async function recordInStack(stack: Stack, recording: Recording, { io, progress }: Context): Promise<Failure[]> {
  const { change, timeoutMs, title } = recording;
  const started = performance.now();
  progress.doing(`${title}...`);
  try {
    await stack.record(change, timeoutMs);
    progress.done(title, "", performance.now() - started);
    return [];
  } catch (error) {
    progress.failed(title);
    const why = io.signal.aborted ? "interrupted" : reportOf(error).message;
    const inConfig = new Set((await stack.desired().catch(() => [])).map(({ user }) => user));
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
      ...(change.remove ?? []).map((user) =>
        failure(user, inConfig.has(user) ? recording.again(user) : stack.updateCommand),
      ),
    ];
  }
}
