import { parseSpan } from "../../ops/audit/moment";
import { parseBanAddress } from "../../ops/bans/address";
import { command } from "./command";
import type { Result } from "./command";
import { renderBans } from "./bans-list";
import { eachServer } from "./each-server";

export const bansAdd = command({
  usage: "bans add <address>",
  describe: "Shut an address out of all servers, and cut what it has open",
  positional: { address: { describe: "one IPv4 or IPv6 address" } },
  options: { for: { type: "string", requiresArg: true, default: "1h", describe: "how long: 10m, 1h, 7d" } },
  examples: [["$0 bans add 203.0.113.9 --for 1d", "until tomorrow"]],
  async run(args, context): Promise<Result> {
    const address = parseBanAddress(args.address);
    const seconds = parseSpan(args.for, "--for");
    const { io, services } = context;
    const { results, failures } = await eachServer(
      (server) => services.addBan(server, address, { seconds, signal: io.signal }),
      context,
    );
    return { json: { bans: results }, text: renderBans(results), failures, succeeded: results.length };
  },
});
