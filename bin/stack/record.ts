/* eslint-disable @typescript-eslint/no-require-imports -- the engine's SDK takes half a second to load: only here. */
import { ConflictError } from "../../ops/errors";
import { translate } from "./pulumi";
import type { Project } from "./project";

export interface UpdateOptions {
  project: Project;
  stack: string;
  env: NodeJS.ProcessEnv;
  users: string[];
}

/**
 * Brings the stack's state in line with its config for these people and nobody else.
 *
 * The targets are patterns: a person who is in neither config nor state is then no error, and parents do not matter.
 * @throws ConflictError when another operation holds the stack, OperationError with the engine's first error line
 */
export async function updateStack({ project, stack, env, users }: UpdateOptions): Promise<void> {
  const { ConcurrentUpdateError, LocalWorkspace, Stack } =
    require("@pulumi/pulumi/automation") as typeof import("@pulumi/pulumi/automation");
  // The SDK looks for `pulumi` on this process' own PATH.
  process.env.PATH = env.PATH;
  try {
    const workspace = await LocalWorkspace.create({ workDir: project.root, envVars: definedOnly(env) });
    // `pulumi stack select` would change which stack the administrator's next bare `pulumi up` means. Every command
    // that follows names its stack, so there is nothing to select.
    workspace.selectStack = () => Promise.resolve();
    const selected = await Stack.select(stack, workspace);
    // No signal: at a terminal Ctrl-C reaches the engine by itself, and a second one would make it drop its state.
    await selected.up({ target: users.map(targetOf), color: "never", suppressProgress: true });
  } catch (error) {
    const failure = translate(error instanceof Error ? error.message : String(error), project, error);
    if (error instanceof ConcurrentUpdateError && failure.kind !== "conflict") {
      throw new ConflictError("another Pulumi operation holds the stack", { cause: error });
    }
    throw failure;
  }
}

/** Matches the person's `Container` whatever it is a child of. User names hold no pattern characters. */
function targetOf(user: string): string {
  return `**:Container::${user}`;
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
