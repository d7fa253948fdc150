import pLimit from "p-limit";

import type { Container } from "../../ops/containers/container";
import { parseUserName } from "../../ops/containers/user-name";
import type { Failure } from "../output/error";
import { seconds } from "../output/progress";
import type { Server } from "../services";
import type { DesiredContainer } from "../stack/config-text";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import type { Context, Result } from "./command";
import { findUser } from "./find-user";
import { recordEdits } from "./record";

/** A server does four things well at a time, and most fleets have one or two. */
const usersAtOnce = 8;

/** What was done for each of several people, in the order in which they were named, and what failed. */
export interface Outcomes<T> {
  done: T[];
  failures: Failure[];
}

/**
 * The same for every user, several at a time; one that fails does not keep the others from theirs. After Ctrl-C nobody
 * else is begun.
 * @throws what went wrong, when there is only one user
 */
export async function eachUser<T>(
  users: string[],
  { io }: Pick<Context, "io">,
  work: (user: string) => Promise<T>,
  atOnce = usersAtOnce,
): Promise<Outcomes<T>> {
  const limit = pLimit(atOnce);
  const settled = await Promise.allSettled(
    users.map((user) =>
      limit(() => {
        io.signal.throwIfAborted();
        return work(user);
      }),
    ),
  );
  const outcomes: Outcomes<T> = { done: [], failures: [] };
  settled.forEach((result, index) => {
    if (result.status === "fulfilled") outcomes.done.push(result.value);
    else if (users.length === 1) throw result.reason;
    else outcomes.failures.push({ subject: users[index]!, error: result.reason });
  });
  return outcomes;
}

/** Everybody who has a complete container, by name, and the servers that could not be asked. */
export async function everybody(target: Target, { io, progress }: Context) {
  progress.doing("Asking the servers...");
  const { containers, failures } = await target.servers.list();
  progress.clear();
  // Ctrl-C made them all fail; that is no news of theirs.
  io.signal.throwIfAborted();
  const complete = containers.filter(({ status }) => status !== "half-made");
  return {
    users: complete.map(({ user }) => user).sort(),
    failures: [...failures].map(([subject, error]): Failure => ({ subject, error })),
  };
}

/** Checked names, each once. */
export function parseUsers(names: string[]): string[] {
  return [...new Set(names.map(parseUserName))];
}

/** A change of people's containers that are there already. */
export interface Change {
  /** Begins the line that says it is done: "Stopped". */
  title: string;
  /** Ends "alice is ...", for the result. */
  is: string;
  work(server: Server, user: string): Promise<{ container: Container; detail?: string }>;
  /** Present where the stack has to know. */
  recording?: {
    edit(entry: DesiredContainer): DesiredContainer;
    timeoutMs: number;
    /** The command that does it again. */
    again(user: string): string;
  };
}

/** Finds everybody, changes everybody, then tells the stack of all of them at once. */
export async function changeEach(users: string[], change: Change, context: Context): Promise<Result> {
  const target = await context.target();
  const { done, failures } = await eachUser(users, context, (user) => changeOne(user, change, target, context));
  const unrecorded = await record(
    done.map(({ container }) => container.user),
    change,
    target,
    context,
  );
  return {
    json: { containers: done.map(({ container }) => container) },
    text: done
      .map(({ container, milliseconds }) => `${container.user} is ${change.is} (${seconds(milliseconds)}).`)
      .join("\n"),
    failures: [...failures, ...unrecorded],
    succeeded: done.length - unrecorded.length,
  };
}

async function changeOne(user: string, { title, work }: Change, target: Target, context: Context) {
  const started = performance.now();
  const { server } = await findUser(user, target, context);
  context.progress.doing(`${user}...`);
  const { container, detail = "" } = await work(server, user);
  const milliseconds = performance.now() - started;
  context.progress.done(
    `${title} ${container.name}`,
    detail === "" ? server.name : `${server.name}, ${detail}`,
    milliseconds,
  );
  return { container, milliseconds };
}

async function record(users: string[], { recording: wanted }: Change, target: Target, context: Context) {
  if (!wanted) return [];
  const { edit, timeoutMs, again } = wanted;
  const recording = {
    timeoutMs,
    otherwise: `it is changed, but not in ${target.label}`,
    leftBehind: () => undefined,
    again: (user: string) => nextCommand(target, again(user)),
  };
  const edits = users.map((user) => ({ user, apply: edit }));
  return recordEdits(target, edits, recording, context);
}
