import { parseUserName } from "../../ops/containers/user-name";
import { parseSnapshotName } from "../../ops/snapshots/name";
import { command } from "./command";
import type { Result } from "./command";
import { confirmLoss, refuseSilence } from "./confirm";
import { findUser } from "./find-user";

export const snapshotDelete = command({
  usage: "snapshot delete <user> <name>",
  describe: "Forget what was kept of a user's disk; the disk itself stays",
  positional: { user: { describe: "login name" }, name: { describe: "the snapshot's name; see snapshot list" } },
  options: { force: { type: "boolean", default: false, describe: "do not ask" } },
  examples: [["$0 snapshot delete alice before-exam", "asks to type her name"]],
  async run({ user, name, ...args }, context): Promise<Result> {
    parseUserName(user);
    parseSnapshotName(name);
    const again = `snapshot delete ${user} ${name} --force`;
    const force = args.force || context.yes;
    if (!force) refuseSilence("snapshot delete", again, context);
    const { server } = await findUser(user, await context.target(), context);
    if (!force) await confirmLoss(`Delete the snapshot ${name} of ${user}?`, user, again, context);
    await context.services.deleteSnapshot(server, user, name, { signal: context.io.signal });
    return { json: { deleted: [{ user, server: server.name, name }] }, text: `${user}'s snapshot ${name} is deleted.` };
  },
});
