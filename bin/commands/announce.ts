import { reportOf } from "../output/error";
import type { Target } from "../target";
import type { Context } from "./command";

/**
 * Has the other servers hear of what was changed, before anybody is told that it is done. One that is silent is worth a
 * line and no failure: it asks by itself when it comes back.
 * @param changed servers on which something was changed
 */
export async function announce(changed: readonly string[], target: Target, { progress }: Context): Promise<void> {
  if (target.addresses.length < 2) return;
  const [first, ...more] = new Set(changed);
  const silent = await target.servers.announce(more.length === 0 ? first : undefined);
  for (const [server, error] of silent) {
    progress.note(`${server} was not told (${reportOf(error).message}): it asks by itself when it is back`);
  }
}
