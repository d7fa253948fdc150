import type { SnapshotSummary } from "../../ops/containers/container";
import { renderTable } from "../output/table";
import { command } from "./command";
import type { Result } from "./command";
import { eachUser, everybody, parseUsers } from "./each-user";
import { findUser } from "./find-user";

/** A snapshot and whose it is. */
export interface UserSnapshot extends SnapshotSummary {
  user: string;
  server: string;
}

export const snapshotList = command({
  usage: "snapshot list [users..]",
  describe: "Show what was kept of people's disks",
  positional: { users: { describe: "login names; nobody named: everybody", array: true } },
  options: {},
  examples: [
    ["$0 snapshot list", "everybody's"],
    ["$0 snapshot list alice", "one user's"],
  ],
  async run(args, context): Promise<Result> {
    const named = parseUsers(args.users ?? []);
    const target = await context.target();
    const { users, failures: unasked } =
      named.length > 0 ? { users: named, failures: [] } : await everybody(target, context);
    const { done, failures } = await eachUser(users, context, async (user) => {
      const { server } = await findUser(user, target, context);
      const snapshots = await context.services.listSnapshots(server, user, { signal: context.io.signal });
      return snapshots.map((snapshot): UserSnapshot => ({ user, server: server.name, ...snapshot }));
    });
    const snapshots = done.flat();
    return {
      json: { snapshots },
      text: renderSnapshots(snapshots),
      failures: [...unasked, ...failures],
      succeeded: done.length,
    };
  },
});

export function renderSnapshots(snapshots: readonly UserSnapshot[]): string {
  if (snapshots.length === 0) return "";
  return renderTable(
    ["USER", "SNAPSHOT", "CREATED", "EXPIRES", "SERVER"],
    snapshots.map(({ user, name, createdAt, expiresAt, server }) => [user, name, createdAt, expiresAt ?? "-", server]),
  );
}
