import { command } from "./command";
import type { Result } from "./command";
import { changeEach, parseUsers } from "./each-user";
import type { Change } from "./each-user";

export const start = command({
  usage: "start <users..>",
  describe: "Start people's containers; done when SSH answers",
  positional: { users: { describe: "login names", array: true } },
  options: {},
  examples: [["$0 start alice bob", "both at the same time"]],
  async run(args, context): Promise<Result> {
    const { services, io } = context;
    const change: Change = {
      title: "Started",
      is: "running",
      work: async (server, user) => ({ container: await services.startContainer(server, user, { signal: io.signal }) }),
    };
    return changeEach(parseUsers(args.users), change, context);
  },
});
