import { parseBanAddress } from "../../ops/bans/address";
import { NotFoundError } from "../../ops/errors";
import { nextCommand } from "../target-flags";
import { command } from "./command";
import type { Result } from "./command";
import { eachServer } from "./each-server";

export const bansRemove = command({
  usage: "bans remove <address>",
  describe: "Let an address in again, on all servers",
  positional: { address: { describe: "one IPv4 or IPv6 address" } },
  options: {},
  examples: [["$0 bans remove 203.0.113.9", "whoever banned it"]],
  async run(args, context): Promise<Result> {
    const address = parseBanAddress(args.address);
    const { io, services } = context;
    const { target, results, failures } = await eachServer(
      async (server) => ({
        server: server.name,
        removed: await services.removeBan(server, address, { signal: io.signal }),
      }),
      context,
    );
    const servers = results.filter(({ removed }) => removed).map(({ server }) => server);
    if (servers.length === 0 && failures.length === 0) {
      throw new NotFoundError(`${address} is not banned in ${target.label}`, {
        remedy: nextCommand(target, "bans list"),
      });
    }
    return {
      json: { removed: servers.map((server) => ({ address, server })) },
      text: servers.length === 0 ? "" : `${address} is let in again on ${servers.join(", ")}.`,
      failures,
      succeeded: results.length,
    };
  },
});
