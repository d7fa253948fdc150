import { InvalidInputError } from "../../ops/errors";
import type { ServerAddress } from "../../ops/fleet/inventory";
import { ask } from "../output/prompt";
import type { Failure } from "../output/error";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import { command } from "./command";
import type { Context, Result } from "./command";
import { refuseSilence } from "./confirm";
import { failuresOf, renderDrill, reportOf } from "./drill-report";
import type { DrillReport } from "./drill-report";

export const drillPreempt = command({
  usage: "drill preempt",
  describe: "Fire drill: end servers as a preemption does while people write, and see that nothing is lost",
  positional: {},
  options: {
    servers: { type: "string", requiresArg: true, default: "1", describe: "how many end, at the same time" },
    server: { type: "string", requiresArg: true, describe: "this one [default: the first ones of the stack]" },
    times: { type: "string", requiresArg: true, default: "1", describe: "how often, one drill after the other" },
    timeout: { type: "string", requiresArg: true, default: "10m", describe: "until everybody must be back: 90s, 10m" },
  },
  examples: [
    ["$0 drill preempt", "asks to type the server's name; what people have not saved is lost"],
    ["$0 drill preempt --server jump-2 --yes --json", "does not ask; the report for a program"],
    ["$0 drill preempt --times 20 --yes", "twenty in a row; ends at the first that goes wrong"],
  ],
  async run(args, context): Promise<Result> {
    const count = parseCount(args.servers, "--servers");
    const times = parseCount(args.times, "--times");
    const timeoutMs = parseTimeout(args.timeout);
    const again = `drill preempt${args.server === undefined ? "" : ` --server ${args.server}`} --yes`;
    if (!context.yes) refuseSilence("drill preempt", again, context);
    const target = await context.target();
    const servers = chooseServers(target, count, args.server);
    if (!context.yes) await confirm(servers, nextCommand(target, again), context);
    const reports: DrillReport[] = [];
    let failures: Failure[] = [];
    for (let run = 1; run <= times && failures.length === 0; run++) {
      if (times > 1) context.progress.note(`Drill ${run} of ${times}`);
      const drills = await Promise.all(servers.map((server) => drillOne(server, timeoutMs, target, context)));
      reports.push(...drills.map((drill) => reportOf(run, drill)));
      failures = drills.flatMap(failuresOf);
    }
    return {
      json: { drills: reports },
      text: reports.map(renderDrill).join("\n\n"),
      failures,
      // Something lost is a failed drill, however much was not.
      succeeded: failures.length === 0 ? reports.length : 0,
    };
  },
});

function drillOne(server: ServerAddress, timeoutMs: number, target: Target, { io, progress, services }: Context) {
  return services.drillPreemption(server, {
    identityBaseDirectory: target.stack?.root ?? io.cwd,
    signal: io.signal,
    timeoutMs,
    onStep: ({ title, milliseconds }) => progress.done(title, server.name, milliseconds),
  });
}

function chooseServers(target: Target, count: number, name: string | undefined): ServerAddress[] {
  const { addresses } = target;
  const names = addresses.map((address) => address.name).join(", ");
  if (addresses.length === 0) {
    throw new InvalidInputError("a machine that ends cannot watch itself come back", {
      remedy: "Run the drill from another one, with --stack or --host.",
    });
  }
  if (name !== undefined && count > 1) throw new InvalidInputError("--server is one: --servers says how many");
  if (name === undefined && count > addresses.length) {
    throw new InvalidInputError(`--servers ${count}: ${target.label} has ${addresses.length}`, {
      remedy: `It has: ${names}`,
    });
  }
  const chosen = name === undefined ? addresses.slice(0, count) : addresses.filter((address) => address.name === name);
  if (chosen.length > 0) return chosen;
  throw new InvalidInputError(`${target.label} has no server ${JSON.stringify(name)}`, { remedy: `It has: ${names}` });
}

async function confirm(servers: ServerAddress[], again: string, { io }: Context): Promise<void> {
  const names = servers.map(({ name }) => name).join(" ");
  const question = "Ends at once, with all that runs there; what people have not saved is lost.";
  if ((await ask(io, `${question} Type ${names}: `)) === names) return;
  throw new InvalidInputError("nothing was ended: the name was not typed", {
    remedy: `Type ${names} to confirm, or\n  ${again}`,
  });
}

function parseCount(text: string, option: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new InvalidInputError(`${option} ${JSON.stringify(text)} is not a number from 1 to 999`);
}

function parseTimeout(text: string): number {
  const match = /^([1-9]\d{0,4})([sm])$/.exec(text);
  const milliseconds = Number(match?.[1]) * (match?.[2] === "m" ? 60_000 : 1000);
  if (milliseconds <= 86_400_000) return milliseconds;
  throw new InvalidInputError(`--timeout ${JSON.stringify(text)} is not a span of time`, {
    remedy: "Give seconds or minutes: 90s, 10m.",
  });
}
