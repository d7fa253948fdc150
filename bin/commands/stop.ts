import { InvalidInputError } from "../../ops/errors";
import { command } from "./command";
import type { Result } from "./command";
import { changeEach, parseUsers } from "./each-user";
import type { Change } from "./each-user";

/** Shared with `restart`. */
export const stopOptions = {
  grace: {
    type: "string",
    requiresArg: true,
    default: "30",
    describe: "seconds for its programs to end by themselves before they are made to; 0: at once",
  },
} as const;

export const stop = command({
  usage: "stop <users..>",
  describe: "Stop people's containers, gently first, then by force",
  positional: { users: { describe: "login names", array: true } },
  options: stopOptions,
  examples: [
    ["$0 stop alice", "it stays stopped until the server starts again; see autostart"],
    ["$0 stop alice bob --grace 5", "both at the same time, with little patience"],
  ],
  async run(args, context): Promise<Result> {
    const { services, io } = context;
    const graceSeconds = parseGrace(args.grace);
    const change: Change = {
      title: "Stopped",
      is: "stopped",
      work: async (server, user) => {
        const { container, forced } = await services.stopContainer(server, user, { graceSeconds, signal: io.signal });
        return { container, detail: forced ? "by force" : undefined };
      },
    };
    return changeEach(parseUsers(args.users), change, context);
  },
});

/** @throws InvalidInputError */
export function parseGrace(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 600) return Number(text);
  throw new InvalidInputError(`--grace ${JSON.stringify(text)} is not a number of seconds`, {
    remedy: "Give 0 to 600, for example --grace 60.",
  });
}
