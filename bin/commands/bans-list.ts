import { OperationError } from "../../ops/errors";
import type { Failure } from "../output/error";
import { renderTable } from "../output/table";
import type { ServerBan } from "../services";
import { command } from "./command";
import type { Result } from "./command";
import { eachServer } from "./each-server";

export const bansList = command({
  usage: "bans list",
  describe: "Show which addresses are shut out now, by whom and until when",
  positional: {},
  options: {},
  examples: [["$0 bans list", "on all servers"]],
  async run(_args, context): Promise<Result> {
    const { io, progress, services } = context;
    const { results, failures } = await eachServer(
      async (server) => ({ server: server.name, ...(await services.listBans(server, { signal: io.signal })) }),
      context,
    );
    const bans = results.flatMap((result) => result.bans);
    const idle = results
      .filter(({ running }) => !running)
      .map(({ server }): Failure => ({ subject: server, error: notRunning(server) }));
    if (bans.length === 0 && failures.length + idle.length === 0) progress.note("Nobody is banned.");
    return {
      json: { bans },
      text: renderBans(bans),
      failures: [...failures, ...idle],
      succeeded: results.length - idle.length,
    };
  },
});

function notRunning(server: string): OperationError {
  return new OperationError(`fail2ban does not run on ${server}: nobody is banned there`, {
    server,
    remedy: "Start it there:\n  sudo systemctl restart fail2ban",
  });
}

export function renderBans(bans: readonly ServerBan[]): string {
  if (bans.length === 0) return "";
  return renderTable(
    ["ADDRESS", "BY", "SINCE", "UNTIL", "SERVER", "IN FORCE"],
    bans.map(({ address, by, since = "-", until = "-", server, enforced }) => {
      return [address, by, since, until, server, enforced ? "yes" : "NO: not in the firewall"];
    }),
  );
}
