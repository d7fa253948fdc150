import { parseUserName } from "../../ops/containers/user-name";
import { changeUserKeys, newKeyOption, oldKeyOption, readNewKeys, readSelectors } from "./change-user-keys";
import { command } from "./command";
import type { Result } from "./command";
import { lockTimeout, lockTimeoutOption } from "./lock-timeout";

export const keysReplace = command({
  usage: "keys replace <user>",
  describe: "Give a user a new key in the place of an old one, or of all",
  positional: { user: { describe: "login name" } },
  options: { "ssh-key": newKeyOption, key: oldKeyOption, "lock-timeout": lockTimeoutOption },
  examples: [
    ["$0 keys replace alice --ssh-key new.pub", "all of hers"],
    ["$0 keys replace alice --ssh-key new.pub --key alice@laptop", "this one, and no other"],
  ],
  async run({ user, ...args }, context): Promise<Result> {
    parseUserName(user);
    const timeoutMs = lockTimeout(args["lock-timeout"]);
    const keys = await readNewKeys(args["ssh-key"], `keys replace ${user}`, user, context.io);
    const old = args.key && (await readSelectors(args.key, `keys replace ${user}`, user, context.io));
    const again = `keys replace ${user} --ssh-key FILE${old ? " --key KEY" : ""}`;
    return changeUserKeys(user, { timeoutMs, again }, context, (server, alsoKnown) =>
      context.services.replaceKeys(server, user, keys, { old, alsoKnown, signal: context.io.signal }),
    );
  },
});
