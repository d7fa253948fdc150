import { parseUserName } from "../../ops/containers/user-name";
import type { Check, CheckState } from "../../ops/doctor/check";
import { atTarget, remedyLines } from "../output/error";
import { paintFor, type Paint } from "../output/paint";
import { shellWord } from "../output/shell-word";
import type { Target } from "../target";
import { command } from "./command";
import type { Result } from "./command";
import { patientsOf } from "./patients";

export const doctor = command({
  usage: "doctor [user]",
  describe: "Look whether all is well, on every server and for one user; says what to do where it is not",
  positional: { user: { describe: "login name" } },
  options: {},
  examples: [
    ["$0 doctor", "the servers"],
    ["$0 doctor alice", "and everything that alice needs to get in"],
  ],
  async run({ user }: { user?: string }, context): Promise<Result> {
    if (user !== undefined) parseUserName(user);
    const { io, progress, services } = context;
    const target = await context.target();
    progress.doing("Looking...");
    const found = await services.examineFleet(patientsOf(target), { user, signal: io.signal });
    progress.clear();
    const { verdict } = found;
    const checks = found.checks.map((check) => withFlags(check, target.flags));
    return { json: { checks }, text: renderChecks(checks, target, paintFor(io.stdout, io.env)), verdict };
  },
});

function withFlags({ remedy, ...check }: Check, flags: string): Check {
  return remedy === undefined ? check : { ...check, remedy: atTarget(remedy, flags) };
}

const marks: Record<CheckState, string> = { ok: "✓", warning: "!", failed: "✗", skipped: "-" };

/** One line each, what to do below it, and what it comes to. */
export function renderChecks(checks: Check[], target: Pick<Target, "addresses">, paint: Paint): string {
  const titles = checks.map(({ server, name }) => `${server} ${name}`);
  const width = Math.max(...titles.map(({ length }) => length));
  const paints = { ok: paint.good, warning: paint.warn, failed: paint.bad, skipped: paint.dim };
  const lines = checks.flatMap(({ state, detail, remedy }, index) => [
    `${paints[state](marks[state])} ${titles[index]!.padEnd(width)}  ${state === "skipped" ? `not tried: ${detail}` : detail}`,
    ...remedyLines(remedy).map((line) => `    ${line}`),
  ]);
  return [...lines, ...waysToServers(checks, target), summary(checks)].join("\n");
}

/** How to get to where a remedy's `sudo` is meant. */
function waysToServers(checks: Check[], { addresses }: Pick<Target, "addresses">): string[] {
  const names = new Set(checks.flatMap(({ remedy, server }) => (/^ *sudo /m.test(remedy ?? "") ? [server] : [])));
  return addresses
    .filter(({ name }) => names.has(name))
    .map(({ name, address, adminUser, identityFile, port }) => {
      const key = identityFile === undefined ? "" : ` -i ${shellWord(identityFile)}`;
      return `sudo on ${name}:  ssh${key}${port === 22 ? "" : ` -p ${port}`} ${adminUser}@${address}`;
    });
}

function summary(checks: Check[]): string {
  const words: [CheckState, string][] = [["ok", "ok"], ["warning", "to look after"], ["failed", "failed"], ["skipped", "not tried"]]; // prettier-ignore
  const counts = words.map(([state, word]) => ({
    word,
    count: checks.filter((check) => check.state === state).length,
  }));
  const parts = counts.filter(({ count }) => count > 0).map(({ count, word }) => `${count} ${word}`);
  return `${checks.length} checks: ${parts.join(", ")}`;
}
