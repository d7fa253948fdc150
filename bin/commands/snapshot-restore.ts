import { parseUserName } from "../../ops/containers/user-name";
import { parseSnapshotName } from "../../ops/snapshots/name";
import { seconds } from "../output/progress";
import { command } from "./command";
import type { Result } from "./command";
import { confirmLoss, refuseSilence } from "./confirm";
import { findUser } from "./find-user";

export const snapshotRestore = command({
  usage: "snapshot restore <user> <name>",
  describe: "Put a user's disk back to what it was; keys and limits stay those of now",
  positional: { user: { describe: "login name" }, name: { describe: "the snapshot's name; see snapshot list" } },
  options: { force: { type: "boolean", default: false, describe: "do not ask" } },
  examples: [["$0 snapshot restore alice before-exam", "what she did since then is lost"]],
  async run({ user, name, ...args }, context): Promise<Result> {
    parseUserName(user);
    parseSnapshotName(name);
    const again = `snapshot restore ${user} ${name} --force`;
    const force = args.force || context.yes;
    if (!force) refuseSilence("snapshot restore", again, context);
    const started = performance.now();
    const { server, container } = await findUser(user, await context.target(), context);
    if (!force) await confirmLoss(`Lose what ${user} did since ${name}?`, user, again, context);
    context.progress.doing(`Restoring ${container.name}...`);
    const restored = await context.services.restoreSnapshot(server, user, name, { signal: context.io.signal });
    const milliseconds = performance.now() - started;
    context.progress.done(`Restored ${container.name}`, `${server.name}, ${name}`, milliseconds);
    return { json: { containers: [restored] }, text: `${user} is back at ${name} (${seconds(milliseconds)}).` };
  },
});
