import type { Properties } from "./engine-protocol";
import { types } from "./kinds";
import type { PretendedProject, Thing } from "./project";

/** Is there a scheduler's job that starts this VM whenever it is stopped? One that is paused does nothing. */
export function isStartedByJob(project: PretendedProject, vm: Thing): boolean {
  return project
    .all(types.job)
    .filter(({ inputs }) => inputs.paused !== true)
    .some(({ inputs }) => String((inputs.httpTarget as Properties | undefined)?.uri).endsWith(`${vm.id}/start`));
}
