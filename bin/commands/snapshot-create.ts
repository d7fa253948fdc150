import { InvalidInputError } from "../../ops/errors";
import { parseExpiry } from "../../ops/snapshots/expiry";
import { nameByTime, parseSnapshotName } from "../../ops/snapshots/name";
import { command } from "./command";
import type { Result } from "./command";
import { eachUser, everybody, parseUsers } from "./each-user";
import { findUser } from "./find-user";
import { renderSnapshots } from "./snapshot-list";

export const snapshotCreate = command({
  usage: "snapshot create [users..]",
  describe: "Keep people's disks as they are now",
  positional: { users: { describe: "login names", array: true } },
  options: {
    name: { type: "string", requiresArg: true, describe: "what to call it [default: the time]" },
    all: { type: "boolean", default: false, describe: "of everybody" },
    expires: { type: "string", requiresArg: true, describe: "delete it after 12h, 30d, 4w [default: it is kept]" },
  },
  examples: [
    ["$0 snapshot create alice --name before-exam", "one user's"],
    ["$0 snapshot create --all --expires 7d", "everybody's, for a week"],
  ],
  async run(args, context): Promise<Result> {
    const { io, progress, services } = context;
    const now = new Date();
    const named = parseUsers(args.users ?? []);
    const name = args.name === undefined ? nameByTime(now) : parseSnapshotName(args.name);
    const expiresAt = args.expires === undefined ? undefined : parseExpiry(args.expires, now, "--expires");
    if (args.all === named.length > 0) {
      throw new InvalidInputError(args.all ? "--all is everybody: name nobody beside it" : "a user name is missing", {
        remedy: "npx containarium-ops snapshot create --all",
      });
    }
    const target = await context.target();
    const { users, failures: unasked } = args.all ? await everybody(target, context) : { users: named, failures: [] };
    const { done, failures } = await eachUser(users, context, async (user) => {
      const started = performance.now();
      const { server } = await findUser(user, target, context);
      const snapshot = await services.createSnapshot(server, user, name, { expiresAt, signal: io.signal });
      progress.done(`Kept ${user}'s disk`, `${server.name}, ${name}`, performance.now() - started);
      return { user, server: server.name, ...snapshot };
    });
    return {
      json: { snapshots: done },
      text: renderSnapshots(done),
      failures: [...unasked, ...failures],
      succeeded: done.length,
    };
  },
});
