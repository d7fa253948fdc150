import { InvalidInputError } from "../../ops/errors";
import { command } from "./command";
import type { Result } from "./command";
import { changeEach, parseUsers } from "./each-user";
import type { Change } from "./each-user";
import { lockTimeout, lockTimeoutOption } from "./lock-timeout";

export const autostart = command({
  usage: "autostart <users..>",
  describe: "Whether containers start with their server: names, then on or off",
  positional: { users: { describe: "login names, and at the end on or off", array: true } },
  options: { "lock-timeout": lockTimeoutOption },
  examples: [
    ["$0 autostart alice on", "what is so when nothing else was said"],
    ["$0 autostart alice bob off", "neither of them"],
  ],
  async run(args, context): Promise<Result> {
    const { services, io } = context;
    const { users, on } = parseSwitch(args.users);
    const change: Change = {
      title: on ? "Autostart on:" : "Autostart off:",
      is: on ? "started with its server" : "not started with its server",
      work: async (server, user) => ({
        container: await services.setAutostart(server, user, on, { signal: io.signal }),
      }),
      recording: {
        // On is what is so when nothing is said.
        edit: (entry) => ({ ...entry, autostart: on ? undefined : false }),
        timeoutMs: lockTimeout(args["lock-timeout"]),
        again: (user) => `autostart ${user} ${on ? "on" : "off"}`,
      },
    };
    return changeEach(users, change, context);
  },
});

function parseSwitch(words: string[]): { users: string[]; on: boolean } {
  const last = words.at(-1);
  const names = words.slice(0, -1);
  if (names.length > 0 && (last === "on" || last === "off")) return { users: parseUsers(names), on: last === "on" };
  throw new InvalidInputError("autostart needs on or off after the names", {
    remedy: `npx containarium-ops autostart ${parseUsers(words).join(" ")} off`,
  });
}
