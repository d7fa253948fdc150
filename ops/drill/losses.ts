import { createHash } from "node:crypto";
import type { DrillProblem } from "./drill";

/** What was known of a person just before their server ended. */
export interface Before {
  /** Of their container, `type base64`; empty where no key lets them in. */
  hostKeys: string[];
  acknowledged: number;
  homeFiles: number;
  /** SHA-256 of the list of sums that lies in the container. */
  homeDigest: string;
}

/** The same when it was back. */
export interface After {
  hostKeys: string[];
  /** Whole lines in the file, acknowledged or not. */
  lines: number;
  /** SHA-256 of as many lines as were acknowledged. */
  digest: string;
  homeDigest: string;
  /** Files whose sum is another one, or that are gone; not those that were written after the list was made. */
  changedFiles: number;
}

/** The writer's lines are known in advance: what is compared never depends on what the container says was in them. */
export function digestOf(drill: string, lines: number): string {
  const hash = createHash("sha256");
  for (let line = 1; line <= lines; line++) hash.update(`${drill} ${line}\n`);
  return hash.digest("hex");
}

/** What is not as it was; nothing when all is. */
export function lossesOf(drill: string, before: Before, after: After): DrillProblem[] {
  const problems: DrillProblem[] = [];
  const missing = before.acknowledged - after.lines;
  if (missing > 0) {
    problems.push({ kind: "lost", message: `${missing} of ${before.acknowledged} acknowledged lines are gone` });
  } else if (after.digest !== digestOf(drill, before.acknowledged)) {
    problems.push({ kind: "changed", message: "the acknowledged lines are other ones" });
  }
  if (after.homeDigest !== before.homeDigest) {
    problems.push({ kind: "changed", message: "the list of the home's sums is another one" });
  } else if (after.changedFiles > 0) {
    const message = `${after.changedFiles} of ${before.homeFiles} files of the home are changed or gone`;
    problems.push({ kind: "changed", message });
  }
  // A busy sshd may show fewer of its keys to one scan; it must not show others.
  const others = after.hostKeys.filter((key) => !before.hostKeys.includes(key));
  if (others.length > 0) problems.push({ kind: "changed", message: "their container shows another host key" });
  return problems;
}
