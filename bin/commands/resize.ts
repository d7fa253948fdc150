import { InvalidInputError } from "../../ops/errors";
import { command } from "./command";
import type { Result } from "./command";
import { readLimits } from "./create-input";
import { changeEach, parseUsers } from "./each-user";
import type { Change } from "./each-user";
import { lockTimeout, lockTimeoutOption } from "./lock-timeout";

export const resize = command({
  usage: "resize <users..>",
  describe: "Give containers more or less to use, while they run",
  positional: { users: { describe: "login names", array: true } },
  options: {
    cpu: { type: "string", requiresArg: true, describe: "CPU time in cores, e.g. 2 or 0.5" },
    memory: { type: "string", requiresArg: true, describe: "memory limit, e.g. 4GiB; never below what is in use" },
    "disk-quota": { type: "string", requiresArg: true, describe: "size of the disk, e.g. 20GB; never below use" },
    processes: {
      type: "string",
      requiresArg: true,
      describe: "most processes and threads, e.g. 4096; never below use",
    },
    "lock-timeout": lockTimeoutOption,
  },
  examples: [
    ["$0 resize alice --memory 8GiB --disk-quota 50GB", "what is not named stays"],
    ["$0 resize alice bob --cpu 0.5", "half a core for each"],
  ],
  async run({ cpu, memory, "disk-quota": diskQuota, processes, ...args }, context): Promise<Result> {
    const users = parseUsers(args.users);
    const limits = readLimits({ cpu, memory, diskQuota, processes });
    const words = [
      ...(cpu === undefined ? [] : [`--cpu ${cpu}`]),
      ...(memory === undefined ? [] : [`--memory ${memory}`]),
      ...(diskQuota === undefined ? [] : [`--disk-quota ${diskQuota}`]),
      ...(processes === undefined ? [] : [`--processes ${processes}`]),
    ].join(" ");
    if (words === "") {
      throw new InvalidInputError("resize needs a new size", {
        remedy: `npx containarium-ops resize ${users.join(" ")} --memory 8GiB`,
      });
    }
    const change: Change = {
      title: "Resized",
      is: "resized",
      work: async (server, user) => {
        const container = await context.services.resizeContainer(server, user, limits, { signal: context.io.signal });
        return { container, detail: `${container.cpu} CPU, ${container.memory}, ${container.diskQuota}` };
      },
      recording: {
        edit: (entry) => ({ ...entry, ...limits }),
        timeoutMs: lockTimeout(args["lock-timeout"]),
        again: (user) => `resize ${user} ${words}`,
      },
    };
    return changeEach(users, change, context);
  },
});
