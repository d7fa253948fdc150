import type { Properties } from "./engine-protocol";
import { needsStop } from "./kinds";
import { changesBetween, pattern } from "./properties";

/** Does this change need the VM to be stopped and started again? */
export function stops(olds: Properties, news: Properties): boolean {
  const changed = changesBetween(olds, news).map(({ path }) => pattern(path));
  return changed.some((path) => needsStop.some((property) => path === property || path.startsWith(`${property}.`)));
}
