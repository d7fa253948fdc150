import { renderTable } from "../output/table";
import { command } from "./command";
import type { Result } from "./command";
import { eachServer } from "./each-server";
import { parseSpanOptions, spanOptions } from "./time-span";

export const bansHistory = command({
  usage: "bans history",
  describe: "Show which addresses were shut out, also those that are in again",
  positional: {},
  options: spanOptions,
  examples: [["$0 bans history --since 30d", "of a month"]],
  async run(args, context): Promise<Result> {
    const span = parseSpanOptions(args);
    const { io, progress, services } = context;
    const { results, failures } = await eachServer(async (server) => {
      return { server: server.name, ...(await services.banHistory(server, span, { signal: io.signal })) };
    }, context);
    for (const { server, leftOff } of results) {
      if (leftOff > 0) progress.note(`${server}: ${leftOff} older entries are left out; ask for a shorter time.`);
    }
    const history = results.flatMap((result) => result.history).sort((a, b) => (a.time < b.time ? -1 : 1));
    if (history.length === 0 && failures.length === 0) progress.note(`Nobody was banned since ${span.since}.`);
    const rows = history.map(({ time, event, address, by, until = "-", server }) => {
      return [time, event, address, by, until, server];
    });
    return {
      json: { ...span, history, leftOff: results.reduce((sum, { leftOff }) => sum + leftOff, 0) },
      text: rows.length === 0 ? "" : renderTable(["TIME", "EVENT", "ADDRESS", "BY", "UNTIL", "SERVER"], rows),
      failures,
      succeeded: results.length,
    };
  },
});
