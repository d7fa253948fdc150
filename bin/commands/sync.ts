import { InvalidInputError } from "../../ops/errors";
import type { Failure } from "../output/error";
import { printable } from "../output/printable";
import { renderTable } from "../output/table";
import { compare } from "../stack/compare";
import type { Comparison } from "../stack/compare";
import type { Stack } from "../stack/stack";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import { command } from "./command";
import type { Context, Result } from "./command";
import { onServers } from "./each-server";
import { lockTimeout, lockTimeoutOption } from "./lock-timeout";
import { recordInStack } from "./record";

export const sync = command({
  usage: "sync",
  describe: "Take into the stack who is on its servers, and report what differs",
  positional: {},
  options: {
    "dry-run": { type: "boolean", default: false, describe: "report only; change nothing" },
    "lock-timeout": lockTimeoutOption,
  },
  examples: [
    ["$0 sync --dry-run", "what differs between the stack's config and its servers"],
    ["$0 sync", "and record people whom the config does not name; nobody is deleted or changed"],
  ],
  async run(args, context): Promise<Result> {
    const timeoutMs = lockTimeout(args["lock-timeout"]);
    const { io, progress, services } = context;
    const target = await context.target();
    const { stack } = target;
    if (!stack) {
      throw new InvalidInputError("sync compares a stack with its servers; --host and --local name no stack", {
        remedy: "npx containarium-ops sync --stack NAME",
      });
    }
    progress.doing("Asking the servers...");
    const [desired, { done, failures }] = await Promise.all([
      stack.desired(),
      onServers(undefined, target, context, async (server) => {
        const records = await services.listRecords(server, { signal: io.signal });
        return records.map((record) => ({ server: server.name, record }));
      }),
    ]);
    progress.clear();
    const { defaults } = target;
    const isWhole = failures.length === 0;
    const comparison = compare(desired, done.flat(), { defaults, isWhole });
    const adopt = args["dry-run"] ? [] : comparison.unlisted;
    const unrecorded = adopt.length === 0 ? [] : await record(stack, comparison, { target, timeoutMs, context });
    const problems = [
      ...failures,
      ...comparison.unusable.map(({ user, error }) => ({ subject: printable(user), error })),
      ...unrecorded,
    ];
    return {
      json: jsonOf(comparison, adopt.length > 0 ? new Set(unrecorded.map(({ subject }) => subject)) : undefined),
      text: render(comparison, { target, stack, adopted: adopt.length > 0 && unrecorded.length === 0, isWhole }),
      failures: problems,
      succeeded: done.length,
      ...(problems.length === 0 && doesDiffer(comparison, adopt) && { verdict: "conflict" }),
    };
  },
});

/** Whether anything is left on which config and servers do not agree. */
function doesDiffer({ unlisted, missing, different, halfMade, twice }: Comparison, adopted: readonly unknown[]) {
  return [missing, different, halfMade, twice].some(({ length }) => length > 0) || unlisted.length > adopted.length;
}

/** All at once: one run of the engine. Their containers are there already, so it adopts them. */
function record(
  stack: Stack,
  { unlisted }: Comparison,
  { target, timeoutMs, context }: { target: Target; timeoutMs: number; context: Context },
): Promise<Failure[]> {
  const recording = {
    change: { put: unlisted },
    timeoutMs,
    title: `Recorded ${unlisted.length === 1 ? unlisted[0]?.user : `${unlisted.length} people`} in ${target.label}`,
    otherwise: `not recorded in ${target.label}`,
    leftBehind: () => undefined,
    again: () => nextCommand(target, "sync"),
  };
  return recordInStack(stack, recording, context);
}

function jsonOf(
  { unlisted, missing, unknown, different, halfMade, twice }: Comparison,
  failed: Set<string> | undefined,
) {
  return {
    unlisted: unlisted.map(({ user, server }) => ({
      user,
      server,
      recorded: failed !== undefined && !failed.has(user),
    })),
    missing,
    unknown,
    different,
    halfMade,
    twice,
  };
}

interface Shown {
  target: Target;
  stack: Stack;
  adopted: boolean;
  isWhole: boolean;
}

function render(comparison: Comparison, { target, stack, adopted, isWhole }: Shown): string {
  const { unlisted, missing, unknown, different, halfMade, twice } = comparison;
  const refresh = `${stack.updateCommand} --refresh`;
  const parts: [string[], string[][], string][] = [
    [
      [adopted ? "RECORDED" : "NOT IN THE CONFIG", "SERVER"],
      unlisted.map(({ user, server = "" }) => [user, server]),
      adopted ? "" : `To record them:  ${nextCommand(target, "sync")}`,
    ],
    [
      ["ON NO SERVER", "WANTED ON"],
      missing.map(({ user, server = "-" }) => [user, server]),
      `To make them:  ${refresh}`,
    ],
    [
      ["NOT KNOWN", "WANTED ON"],
      unknown.map(({ user, server = "-" }) => [user, server]),
      "They may be on a server that does not answer.",
    ],
    [
      ["DIFFERS", "SERVER", "WHAT", "CONFIG", "SERVER SAYS"],
      different.map(({ user, server, field, config, actual }) => [user, server, field, config || "-", actual || "-"]),
      [
        `To give the servers the config's limits:  ${refresh}`,
        `To give both the same keys:  ${nextCommand(target, "keys replace USER --ssh-key FILE")}`,
      ].join("\n"),
    ],
    [
      ["HALF-MADE", "SERVER"],
      halfMade.map(({ user, server }) => [user, server]),
      `To complete one:  ${nextCommand(target, "create USER --ssh-key FILE")}`,
    ],
    [
      ["ON SEVERAL SERVERS", "WHICH"],
      twice.map(({ user, servers }) => [user, servers.join(", ")]),
      "Look at both before one of them is deleted on its own server.",
    ],
  ];
  const shown = parts
    .filter(([, rows]) => rows.length > 0)
    .map(
      ([head, rows, remedy]) =>
        `${renderTable(
          head,
          rows.map((row) => row.map(printable)),
        )}${remedy && `\n\n${remedy}`}`,
    );
  if (shown.length > 0) return shown.join("\n\n");
  return `${target.label} and ${isWhole ? "its servers" : "the servers that answer"} agree.`;
}
