import { parseUserName } from "../../ops/containers/user-name";
import { changeUserKeys, newKeyOption, readNewKeys } from "./change-user-keys";
import { command } from "./command";
import type { Result } from "./command";
import { lockTimeout, lockTimeoutOption } from "./lock-timeout";

export const keysAdd = command({
  usage: "keys add <user>",
  describe: "Let a user log in with another key as well",
  positional: { user: { describe: "login name" } },
  options: { "ssh-key": newKeyOption, "lock-timeout": lockTimeoutOption },
  examples: [["$0 keys add alice --ssh-key desktop.pub", "beside those that she has"]],
  async run({ user, ...args }, context): Promise<Result> {
    parseUserName(user);
    const timeoutMs = lockTimeout(args["lock-timeout"]);
    const keys = await readNewKeys(args["ssh-key"], `keys add ${user}`, user, context.io);
    return changeUserKeys(user, { timeoutMs, again: `keys add ${user} --ssh-key FILE` }, context, (server) =>
      context.services.addKeys(server, user, keys, { signal: context.io.signal }),
    );
  },
});
