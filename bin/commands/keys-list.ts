import { parseUserName } from "../../ops/containers/user-name";
import type { KeySummary } from "../../ops/keys/public-key";
import { renderTable } from "../output/table";
import { command } from "./command";
import type { Result } from "./command";
import { findUser } from "./find-user";

export const keysList = command({
  usage: "keys list <user>",
  describe: "Show a user's keys",
  positional: { user: { describe: "login name" } },
  options: {},
  examples: [["$0 keys list alice", "types, fingerprints and comments"]],
  async run({ user }, context): Promise<Result> {
    parseUserName(user);
    const { container, server } = await findUser(user, await context.target(), context);
    const { keys } = container;
    if (keys.length === 0) context.progress.note(`${user} has no key and cannot log in`);
    return {
      json: { user, server: server.name, keys, added: [], removed: [] },
      text: keys.length === 0 ? "" : renderKeys(keys),
    };
  },
});

export function renderKeys(keys: readonly KeySummary[]): string {
  return renderTable(
    ["TYPE", "FINGERPRINT", "COMMENT"],
    keys.map(({ type, fingerprint, comment }) => [type, fingerprint, comment]),
  );
}
