import { parseUserName } from "../../ops/containers/user-name";
import { changeUserKeys, oldKeyOption, readSelectors } from "./change-user-keys";
import { command } from "./command";
import type { Result } from "./command";
import { lockTimeout, lockTimeoutOption } from "./lock-timeout";

export const keysRemove = command({
  usage: "keys remove <user>",
  describe: "Shut a key out, and cut the user's live sessions",
  positional: { user: { describe: "login name" } },
  options: {
    key: { ...oldKeyOption, demandOption: "Say which one:  --key laptop, or --key SHA256:..." },
    force: { type: "boolean", default: false, describe: "also the last one: then the user cannot log in" },
    "lock-timeout": lockTimeoutOption,
  },
  examples: [
    ["$0 keys remove alice --key alice@laptop", "by its comment"],
    ["$0 keys remove alice --key SHA256:q8ZkCt0a...", "by its fingerprint; see keys list"],
    ["$0 keys remove alice --key lost.pub", "by the key itself"],
  ],
  async run({ user, ...args }, context): Promise<Result> {
    parseUserName(user);
    const timeoutMs = lockTimeout(args["lock-timeout"]);
    const selectors = await readSelectors(args.key, `keys remove ${user}`, user, context.io);
    const again = `keys remove ${user} --key KEY${args.force ? " --force" : ""}`;
    return changeUserKeys(user, { timeoutMs, again }, context, (server, alsoKnown) =>
      context.services.removeKeys(server, user, selectors, {
        force: args.force,
        alsoKnown,
        signal: context.io.signal,
      }),
    );
  },
});
