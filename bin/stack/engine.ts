import { engineEnvironment } from "../../scripts/engine";
import { OperationError } from "../../ops/errors";
import type { Project } from "./project";

/** The environment in which the engine finds itself, its plugins, its backend and its passphrase. */
export function engineEnvironmentFor(
  project: Project,
  stack: string | undefined,
  env: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  try {
    return engineEnvironment(project.root, stack, env);
  } catch (error) {
    const { message, remedy } = error as Error & { remedy?: string };
    throw new OperationError(message, { remedy: remedy ?? "npm run quickstart", cause: error });
  }
}
