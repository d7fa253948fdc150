import { command } from "./command";
import type { Result } from "./command";
import { changeEach, parseUsers } from "./each-user";
import type { Change } from "./each-user";
import { parseGrace, stopOptions } from "./stop";

export const restart = command({
  usage: "restart <users..>",
  describe: "Stop people's containers and start them again; done when SSH answers",
  positional: { users: { describe: "login names", array: true } },
  options: stopOptions,
  examples: [["$0 restart alice", "gently, and after 30 seconds by force"]],
  async run(args, context): Promise<Result> {
    const { services, io } = context;
    const graceSeconds = parseGrace(args.grace);
    const change: Change = {
      title: "Restarted",
      is: "running again",
      work: async (server, user) => {
        const options = { graceSeconds, signal: io.signal };
        const { container, forced } = await services.restartContainer(server, user, options);
        return { container, detail: forced ? "by force" : undefined };
      },
    };
    return changeEach(parseUsers(args.users), change, context);
  },
});
