import type { Container } from "../../ops/containers/container";
import { NotFoundError } from "../../ops/errors";
import type { Server } from "../services";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import type { Context } from "./command";

/** A user's container, wherever it is. @throws NotFoundError */
export async function findUser(
  user: string,
  target: Target,
  { progress }: Pick<Context, "progress">,
): Promise<{ server: Server; container: Container }> {
  progress.doing(`Looking for ${user}...`);
  const found = await target.servers.find(user);
  progress.clear();
  if (!found) throw unknownUser(user, target);
  return found;
}

export function unknownUser(user: string, target: Target): NotFoundError {
  return new NotFoundError(`no container for ${user} in ${target.label}`, { remedy: nextCommand(target, "list") });
}
