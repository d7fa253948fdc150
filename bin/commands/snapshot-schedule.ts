import { parseSchedule, parseScheduleExpiry } from "../../ops/snapshots/schedule-text";
import { InvalidInputError } from "../../ops/errors";
import { command } from "./command";
import type { Result } from "./command";
import { changeEach, parseUsers } from "./each-user";
import type { Change } from "./each-user";
import { lockTimeout, lockTimeoutOption } from "./lock-timeout";

export const snapshotSchedule = command({
  usage: "snapshot schedule <users..>",
  describe: "Keep people's disks by themselves, again and again; or not any more",
  positional: { users: { describe: "login names", array: true } },
  options: {
    at: {
      type: "string",
      requiresArg: true,
      demandOption: true,
      describe: "@hourly, @daily, @weekly, @monthly, five fields of cron (UTC), or off",
    },
    expires: { type: "string", requiresArg: true, describe: "delete each after 12h, 30d, 4w [default: kept]" },
    "lock-timeout": lockTimeoutOption,
  },
  examples: [
    ["$0 snapshot schedule alice --at @daily --expires 7d", "the last seven days"],
    ["$0 snapshot schedule alice bob --at '30 3 * * 1-5' --expires 4w", "at half past three on working days"],
    ["$0 snapshot schedule alice --at off", "those that are there stay until they expire"],
  ],
  async run({ at, expires, ...args }, context): Promise<Result> {
    const users = parseUsers(args.users);
    const isOff = at.trim() === "off";
    if (isOff && expires !== undefined) {
      throw new InvalidInputError("--expires says when scheduled snapshots are deleted, and off schedules none", {
        remedy: `npx containarium-ops snapshot schedule ${users.join(" ")} --at off`,
      });
    }
    const schedule = {
      snapshotSchedule: isOff ? undefined : parseSchedule(at, "--at"),
      snapshotExpiry: expires === undefined ? undefined : parseScheduleExpiry(expires, "--expires"),
    };
    const words = `--at ${isOff ? "off" : `'${schedule.snapshotSchedule}'`}${expires === undefined ? "" : ` --expires ${expires}`}`;
    const change: Change = {
      title: isOff ? "Unscheduled" : "Scheduled",
      is: isOff ? "not kept by a schedule" : "kept by a schedule",
      work: async (server, user) => ({
        container: await context.services.scheduleSnapshots(server, user, schedule, { signal: context.io.signal }),
        detail: [schedule.snapshotSchedule ?? "off", expires].filter(Boolean).join(", "),
      }),
      recording: {
        edit: (entry) => ({ ...entry, ...schedule }),
        timeoutMs: lockTimeout(args["lock-timeout"]),
        again: (user) => `snapshot schedule ${user} ${words}`,
      },
    };
    return changeEach(users, change, context);
  },
});
