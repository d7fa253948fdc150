import { InvalidInputError } from "../../ops/errors";
import { reportOf } from "../output/error";
import type { Failure } from "../output/error";
import { seconds } from "../output/progress";
import { ask, canAsk } from "../output/prompt";
import type { DesiredContainer } from "../stack/config-text";
import { localName, nextCommand } from "../target-flags";
import type { Target } from "../target";
import { announce } from "./announce";
import { backupTo, fileIn } from "./backup-file";
import { command } from "./command";
import type { Context, Result } from "./command";
import { eachUser, parseUsers } from "./each-user";
import { unknownUser } from "./find-user";
import { lockTimeout, lockTimeoutOption } from "./lock-timeout";
import { recordInStack } from "./record";

export const deleteCommand = command({
  usage: "delete <users..>",
  describe: "Delete people's containers, jump accounts and all their data",
  positional: { users: { describe: "login names", array: true } },
  options: {
    force: { type: "boolean", default: false, describe: "do not ask" },
    backup: { type: "string", requiresArg: true, describe: "folder in which a backup of each is kept first" },
    "lock-timeout": lockTimeoutOption,
  },
  examples: [
    ["$0 delete bob", "asks to type the name"],
    ["$0 delete bob carol --force", "does not ask"],
    ["$0 delete bob --backup old-people", "first writes old-people/bob-TIME.tar.gz; see restore"],
  ],
  async run(args, context): Promise<Result> {
    const users = parseUsers(args.users);
    const timeoutMs = lockTimeout(args["lock-timeout"]);
    const force = args.force || context.yes;
    if (!force && !canAsk(context.io)) {
      throw new InvalidInputError(`delete asks before it deletes ${users.join(", ")}, and nobody is at a terminal`, {
        remedy: `npx containarium-ops delete ${users.join(" ")} --force`,
      });
    }
    const target = await context.target();
    await target.stack?.waitUntilUnlocked(timeoutMs);
    return deleteAll(users, { target, force, timeoutMs, backupFolder: args.backup, context });
  },
});

interface Job {
  target: Target;
  force: boolean;
  timeoutMs: number;
  backupFolder: string | undefined;
  context: Context;
}

interface Deleted {
  user: string;
  server: string;
  milliseconds: number;
}

/** Deletes several at a time, or one after the other where it asks; then tells the stack of all of them at once. */
export async function deleteAll(users: string[], job: Job): Promise<Result> {
  const { context, force, target } = job;
  const desired = (await target.stack?.desired()) ?? [];
  const work = (user: string) => deleteOne(user, desired, job);
  const { done: deleted, failures } = await eachUser(users, context, work, force ? undefined : 1);
  const [unrecorded] =
    deleted.length === 0
      ? [[]]
      : await Promise.all([forget(deleted, job), announce(deleted.map(({ server }) => server), target, context)]); // prettier-ignore
  return {
    json: { deleted: deleted.map(({ user, server }) => ({ user, server })) },
    text: deleted.map(({ user, milliseconds }) => `${user} is deleted (${seconds(milliseconds)}).`).join("\n"),
    failures: [...failures, ...unrecorded],
    succeeded: deleted.length - unrecorded.length,
  };
}

async function deleteOne(user: string, desired: DesiredContainer[], job: Job): Promise<Deleted> {
  const { backupFolder, context, force, target } = job;
  const { progress, services } = context;
  progress.doing(`Looking for ${user}...`);
  const found = await target.servers.find(user);
  progress.clear();
  const recorded = desired.find((entry) => entry.user === user);
  // On the only server there is, a jump account that lost its container is worth looking for.
  if (!found && !recorded && target.addresses.length > 1) throw unknownUser(user, target);
  const serverName = found?.server.name ?? recorded?.server ?? target.addresses[0]?.name ?? localName;
  if (!force && (found || recorded)) await confirm(user, serverName, context);
  const started = performance.now();
  // The container may be gone while its jump account is still there: deleting is safe to repeat.
  const server = found?.server ?? (await target.servers.server(serverName));
  if (found && backupFolder !== undefined)
    await backupTo(fileIn(backupFolder, user, context.io), server, user, context);
  progress.doing(`Deleting ${user}...`);
  const { deleted, copyOn } = await services.deleteContainer(server, user);
  if (copyOn !== undefined) await deleteCopy(user, copyOn, job);
  progress.clear();
  if (!deleted && !recorded) throw unknownUser(user, target);
  const milliseconds = performance.now() - started;
  progress.done(
    deleted ? `Deleted ${found?.container.name ?? user}` : `${user} was gone already`,
    server.name,
    milliseconds,
  );
  return { user, server: server.name, milliseconds };
}

/** What a move left that was not completed; it is nobody's home. */
async function deleteCopy(user: string, on: string, { context, target }: Job): Promise<void> {
  const { progress, services } = context;
  try {
    await services.deleteContainer(await target.servers.server(on), user);
  } catch (error) {
    progress.note(`a copy of ${user} may be on ${on}, of a move that was not completed (${reportOf(error).message})`);
  }
}

async function confirm(user: string, server: string, { io }: Context): Promise<void> {
  const answer = await ask(io, `Delete the container of ${user} on ${server} and everything in it? Type ${user}: `);
  if (answer === user) return;
  throw new InvalidInputError(`${user} was not deleted: the name was not typed`, {
    remedy: `Type the user's name to confirm, or\n  npx containarium-ops delete ${user} --force`,
  });
}

function forget(deleted: Deleted[], { context, target, timeoutMs }: Job): Promise<Failure[]> {
  if (!target.stack) return Promise.resolve([]);
  const recording = {
    change: { remove: deleted.map(({ user }) => user) },
    timeoutMs,
    title: `Removed from ${target.label}`,
    otherwise: `the container is deleted, but ${target.label} still speaks of it`,
    leftBehind: () => undefined,
    again: (user: string) => nextCommand(target, `delete ${user}`),
  };
  return recordInStack(target.stack, recording, context);
}
