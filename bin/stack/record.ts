import { runPulumi } from "./pulumi";
import type { PulumiRun } from "./pulumi";

/**
 * Brings the stack's state in line with its config for these people and nobody else.
 *
 * The targets are patterns: a person who is in neither config nor state is then no error, and parents do not matter.
 * The engine itself, not its Automation API: that starts it four times more, to read outputs that nobody asked for, and
 * loads half a second of SDK.
 * @throws ConflictError when another operation holds the stack, OperationError with the engine's first error line
 */
export async function updateStack({
  users,
  stack,
  configFile,
  ...run
}: PulumiRun & {
  stack: string;
  users: string[];
  /** To read instead of the stack's own. */
  configFile?: string;
}): Promise<void> {
  const targets = users.flatMap((user) => ["--target", targetOf(user)]);
  const config = configFile === undefined ? [] : ["--config-file", configFile];
  const quiet = ["--yes", "--skip-preview", "--suppress-progress", "--suppress-outputs"];
  await runPulumi(["up", "--stack", stack, ...config, ...quiet, ...targets], run);
}

/** Matches the person's `Container` whatever it is a child of. User names hold no pattern characters. */
function targetOf(user: string): string {
  return `**:Container::${user}`;
}
