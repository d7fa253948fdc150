import fs from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import { Transform } from "node:stream";

import { formatBytes } from "../../ops/containers/size";
import { parseUserName } from "../../ops/containers/user-name";
import { ConflictError, InvalidInputError } from "../../ops/errors";
import { seconds } from "../output/progress";
import type { Restored, Server } from "../services";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import { newKeyOption, readNewKeys } from "./change-user-keys";
import { command } from "./command";
import type { Context, Result } from "./command";
import { limitsOf, refuseUnknownServer } from "./create";
import { lockTimeout, lockTimeoutOption } from "./lock-timeout";
import { recordInStack } from "./record";

const { demandOption: _unneeded, ...keyOption } = newKeyOption;

export const restore = command({
  usage: "restore <user> <file>",
  describe: "Make a user's container from a backup, of the same user or another",
  positional: { user: { describe: "login name" }, file: { describe: "what backup wrote; - for standard input" } },
  options: {
    server: { type: "string", requiresArg: true, describe: "server to put it on [default: the one with most room]" },
    "ssh-key": { ...keyOption, describe: "file with a public key of the user [default: the keys of the backup]" },
    "lock-timeout": lockTimeoutOption,
  },
  examples: [
    ["$0 restore alice alice.tar.gz", "same keys, same host key, same address if it is free"],
    ["$0 restore ann alice.tar.gz --ssh-key ann.pub --server jump-2", "a copy for somebody else"],
  ],
  async run({ user, file, server: serverName, ...args }, context): Promise<Result> {
    parseUserName(user);
    const started = performance.now();
    const timeoutMs = lockTimeout(args["lock-timeout"]);
    const keys = args["ssh-key"] && (await readNewKeys(args["ssh-key"], `restore ${user} ${file}`, user, context.io));
    const source = await openSource(file, context);
    try {
      const target = await context.target();
      refuseUnknownServer(serverName, target);
      await refuseExisting(user, target, context);
      await target.stack?.waitUntilUnlocked(timeoutMs);
      const server = await (serverName === undefined
        ? target.servers.place({ user, sshKeys: [] })
        : target.servers.server(serverName));
      const restored = await restoreOn(
        server,
        user,
        source,
        keys?.map(({ line }) => line),
        context,
      );
      const milliseconds = performance.now() - started;
      const { container } = restored;
      context.progress.done(`Restored ${container.name}`, `${server.name}, ${container.ip}`, milliseconds);
      const failures = await record(restored, target, timeoutMs, context);
      const next = nextCommand(target, `export ${user}`);
      return {
        json: { containers: [container] },
        text: `${user} is ready (${seconds(milliseconds)}).  Send them the file from:  ${next}`,
        failures,
        succeeded: 1 - failures.length,
      };
    } finally {
      source.destroy();
    }
  },
});

async function openSource(file: string, { io }: Context): Promise<Readable> {
  if (file === "-") return io.stdin as Readable;
  try {
    const handle = await fs.promises.open(path.resolve(io.cwd, file), "r");
    if ((await handle.stat()).isFile()) return handle.createReadStream();
    await handle.close();
    throw new Error("it is no file");
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === "ENOENT"
        ? `no such file: ${file}`
        : `cannot read ${file}: ${(error as Error).message}`;
    throw new InvalidInputError(why, { remedy: "Give a file that  containarium-ops backup  wrote.", cause: error });
  }
}

async function refuseExisting(user: string, target: Target, { progress }: Context): Promise<void> {
  progress.doing(`Looking for ${user}...`);
  const found = await target.servers.find(user);
  progress.clear();
  if (!found || found.container.status === "half-made") return;
  throw new ConflictError(`${user} already has a container, ${found.container.name} on ${found.container.server}`, {
    remedy: `Restore under another name, or delete it first:\n${nextCommand(target, `delete ${user}`)}`,
  });
}

function restoreOn(
  server: Server,
  user: string,
  source: Readable,
  sshKeys: string[] | undefined,
  context: Context,
): Promise<Restored> {
  const { io, progress, services } = context;
  let bytes = 0;
  let told = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (Date.now() - told > 200) {
        told = Date.now();
        progress.doing(`Restoring ${user}: ${formatBytes(bytes)}`);
      }
      done(null, chunk);
    },
  });
  source.on("error", (error) => counted.destroy(error)).pipe(counted);
  return services.restoreContainer(server, user, counted, { sshKeys, signal: io.signal });
}

function record({ container, keys }: Restored, target: Target, timeoutMs: number, context: Context) {
  if (!target.stack) return Promise.resolve([]);
  const { user, server, name } = container;
  const recording = {
    change: { put: [{ user, sshKeys: keys, ...limitsOf(container), server }] },
    timeoutMs,
    title: `Recorded in ${target.label}`,
    otherwise: `the container is ready but not recorded in ${target.label}`,
    leftBehind: () => `${name} on ${server}; it works and stays`,
    again: () => nextCommand(target, `create ${user} --ssh-key FILE`),
  };
  return recordInStack(target.stack, recording, context);
}
