import fs from "node:fs";
import path from "node:path";

import { formatBytes } from "../../ops/containers/size";
import { parseUserName } from "../../ops/containers/user-name";
import { InvalidInputError } from "../../ops/errors";
import { nextCommand } from "../target-flags";
import { backupInto, backupTo, sinkOn } from "./backup-file";
import { command } from "./command";
import type { Result } from "./command";
import { findUser } from "./find-user";

export const backup = command({
  usage: "backup <user>",
  describe: "Write a user's whole container into a file",
  positional: { user: { describe: "login name" } },
  options: {
    output: {
      type: "string",
      alias: "o",
      requiresArg: true,
      demandOption: "Say where to:  -o alice.tar.gz",
      describe: "file to write, - for standard output",
    },
    force: { type: "boolean", default: false, describe: "replace a file that is there" },
  },
  examples: [
    ["$0 backup alice -o alice.tar.gz", "see restore"],
    ["$0 backup alice -o - | ssh elsewhere 'cat > alice.tar.gz'", "keeps nothing here"],
  ],
  async run({ user, output, force }, context): Promise<Result> {
    parseUserName(user);
    const { io } = context;
    const file = output === "-" ? undefined : path.resolve(io.cwd, output);
    if (file === undefined && io.stdout.isTTY) {
      throw new InvalidInputError("a backup is not for a terminal", {
        remedy: `npx containarium-ops backup ${user} -o ${user}.tar.gz`,
      });
    }
    if (file !== undefined && !force && fs.existsSync(file)) {
      throw new InvalidInputError(`${output} is there already`, {
        remedy: `Name another file, or replace it:\n  npx containarium-ops backup ${user} -o ${output} --force`,
      });
    }
    const target = await context.target();
    const { server } = await findUser(user, target, context);
    if (file === undefined) {
      const written = await backupInto(sinkOn(io.stdout), server, user, context);
      context.progress.note(`${formatBytes(written.bytes)}, sha256 ${written.sha256}`);
      return { json: {}, text: "", printed: true };
    }
    const written = await backupTo(file, server, user, context);
    return {
      json: { backup: { ...written, file } },
      text: `${user} is in ${output} (${formatBytes(written.bytes)}).  Back again with:  ${nextCommand(target, `restore ${user} ${output}`)}`,
    };
  },
});
