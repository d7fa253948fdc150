import type { Container } from "../../ops/containers/container";
import { formatBytes } from "../../ops/containers/size";
import { seconds } from "../output/progress";
import type { DesiredContainer } from "../stack/config-text";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import { announce } from "./announce";
import { command } from "./command";
import type { Context, Result } from "./command";
import { refuseUnknownServer } from "./create";
import { eachUser, parseUsers } from "./each-user";
import { lockTimeout, lockTimeoutOption } from "./lock-timeout";
import { recordEdits } from "./record";

/** All of it flows through this machine, and each takes four of the ten channels that a server's sshd allows. */
const movesAtOnce = 2;

export const move = command({
  usage: "move <users..>",
  describe: "Move containers to another server: same data, keys and host key",
  positional: { users: { describe: "login names", array: true } },
  options: {
    to: { type: "string", requiresArg: true, demandOption: true, describe: "server to move them to" },
    "lock-timeout": lockTimeoutOption,
  },
  examples: [
    ["$0 move alice --to jump-2", "she can work until the last moment; her address changes: export again"],
    ["$0 move ann ben carl --to jump-2", "two at a time; those who are there already stay"],
  ],
  async run({ to, ...args }, context): Promise<Result> {
    const users = parseUsers(args.users);
    const timeoutMs = lockTimeout(args["lock-timeout"]);
    const target = await context.target();
    refuseUnknownServer(to, target);
    await target.stack?.waitUntilUnlocked(timeoutMs);
    const title = (user: string) => (users.length > 1 ? `${user} ` : "");
    const work = (user: string) => moveOne(user, { to, title: title(user), target, context });
    const { done, failures } = await eachUser(users, context, work, movesAtOnce);
    const moved = done.filter(({ from }) => from !== undefined);
    const [unrecorded] = await Promise.all([
      record(done.map(({ container }) => container.user), { to, timeoutMs, target, context }),
      moved.length > 0 ? announce([to], target, context) : undefined,
    ]); // prettier-ignore
    return {
      json: {
        containers: done.map(({ container }) => container),
        moves: done.map(({ container: { user, server }, from, stoppedMilliseconds }) => ({ user, from, to: server, stoppedMilliseconds })), // prettier-ignore
      },
      text: done.map((one) => line(one, target)).join("\n"),
      failures: [...failures, ...unrecorded],
      succeeded: done.length - unrecorded.length,
    };
  },
});

interface One {
  to: string;
  /** Begins every line of progress where several people move. */
  title: string;
  target: Target;
  context: Context;
}

interface Done {
  container: Container;
  from: string | undefined;
  stoppedMilliseconds: number;
}

async function moveOne(user: string, { to, title, target, context }: One): Promise<Done> {
  const { progress, services, io } = context;
  let since = performance.now();
  let told = 0;
  progress.doing(`Looking for ${user}...`);
  const moved = await services.moveContainer(target.servers, user, to, {
    signal: io.signal,
    onStep: (step, detail) => {
      progress.done(`${title}${step}`, detail, performance.now() - since);
      since = performance.now();
    },
    onProgress: (bytes) => {
      if (Date.now() - told < 200) return;
      told = Date.now();
      progress.doing(`Copying ${user}: ${formatBytes(bytes)}`);
    },
  });
  progress.clear();
  return moved;
}

interface Recording {
  to: string;
  timeoutMs: number;
  target: Target;
  context: Context;
}

/** Also of those who were there: an earlier run may have been killed before it came to this. */
function record(users: string[], { to, timeoutMs, target, context }: Recording) {
  const edits = users.map((user) => ({ user, apply: (entry: DesiredContainer) => ({ ...entry, server: to }) }));
  const recording = {
    timeoutMs,
    otherwise: `it is on ${to}, but ${target.label} does not know`,
    leftBehind: () => undefined,
    again: (user: string) => nextCommand(target, `move ${user} --to ${to}`),
  };
  return recordEdits(target, edits, recording, context);
}

function line({ container: { user, server }, from, stoppedMilliseconds }: Done, target: Target): string {
  if (from === undefined) return `${user} is on ${server}: nothing to do.`;
  const stop = stoppedMilliseconds === 0 ? "" : ` (stopped for ${seconds(stoppedMilliseconds)})`;
  return `${user} is on ${server}${stop}.  Send them the file from:  ${nextCommand(target, `export ${user}`)}`;
}
