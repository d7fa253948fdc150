import { parseUserName } from "../../ops/containers/user-name";
import { printable } from "../output/printable";
import { renderTable } from "../output/table";
import type { Session } from "../services";
import { command } from "./command";
import type { Result } from "./command";
import { eachServer } from "./each-server";

export const sessions = command({
  usage: "sessions [user]",
  describe: "Show who is connected now, from where and to where",
  positional: { user: { describe: "login name; nobody named: everybody" } },
  options: {},
  examples: [["$0 sessions", "of everybody"]],
  async run({ user }, context): Promise<Result> {
    if (user !== undefined) parseUserName(user);
    const { io, progress, services } = context;
    const { results, failures } = await eachServer(
      (server) => services.listSessions(server, { signal: io.signal }),
      context,
    );
    const sessions = results.flat().filter((session) => user === undefined || session.user === user);
    sessions.sort((a, b) => (a.user === b.user ? (a.since < b.since ? -1 : 1) : a.user < b.user ? -1 : 1));
    if (sessions.length === 0 && failures.length === 0) progress.note("Nobody is connected.");
    return { json: { sessions }, text: renderSessions(sessions), failures, succeeded: results.length };
  },
});

export function renderSessions(sessions: readonly Session[]): string {
  if (sessions.length === 0) return "";
  return renderTable(
    ["USER", "SINCE", "FROM", "THROUGH", "OPEN TO", "KEY"],
    sessions.map(({ user, since, address, server, openTo, key = "-" }) =>
      [user, since, address, server, openTo.join(" ") || "-", key].map(printable),
    ),
  );
}
