import { parseAddress } from "../../../components/cidr";
import type { Properties } from "./engine-protocol";
import { announcements } from "./guest";
import { types } from "./kinds";
import type { PretendedProject, Thing } from "./project";
import { isStartedByJob } from "./starter";
import { stops } from "./stops";

/** What stands behind the things of the project. Each may add to `outputs` and `guest` before they are written. */
export interface Backing {
  made(thing: Thing): Promise<void>;
  /** `starts`: it was found stopped, and is to run. */
  changed(thing: Thing, before: Thing, starts: boolean): Promise<void>;
  /** Before it is gone from the project, and after. */
  goes(thing: Thing): Promise<void>;
  gone(thing: Thing): Promise<void>;
  /** As it is now. */
  look(thing: Thing): Promise<Thing>;
  guestAttributes(vm: Thing): Promise<Record<string, string>>;
  /** Where external addresses come from. */
  externalRange(): { base: number; size: number };
}

/** Nothing at all: a VM has booted the moment it is made. */
export function pretence(project: PretendedProject): Backing {
  return {
    async made(thing) {
      if (thing.type === types.instance) thing.guest = announcements(thing, project);
    },
    async changed(thing, before, starts) {
      if (thing.type !== types.instance) return;
      if (starts) thing.outputs.currentStatus = "RUNNING";
      // Metadata alone is read at the next boot, or when somebody runs the startup files again.
      if (starts || stops(before.inputs, thing.inputs)) thing.guest = announcements(thing, project);
    },
    async goes() {},
    async gone() {},
    look: async (thing) => thing,
    async guestAttributes({ outputs, guest, inputs }) {
      const metadata = inputs.metadata as Properties | undefined;
      const on = outputs.currentStatus === "RUNNING" && metadata?.["enable-guest-attributes"] === "TRUE";
      return on ? (guest ?? {}) : {};
    },
    // Reserved for documentation: nothing on any network has them.
    externalRange: () => ({ base: parseAddress("203.0.113.0")!, size: 256 }),
  };
}

/** What the startup files do on a VM that runs them again. */
export function startAgain(project: PretendedProject, vm: Thing): void {
  project.put({ ...vm, guest: announcements(vm, project) });
}

/** A preemption, as far as Google can be seen. */
export function preempt(project: PretendedProject, vm: Thing): void {
  project.put({ ...vm, outputs: { ...vm.outputs, currentStatus: "TERMINATED" } });
}

/** What the scheduler's jobs do every minute. @returns names of what was started */
export function startStopped(project: PretendedProject): string[] {
  const stopped = project
    .all(types.instance)
    .filter((vm) => vm.outputs.currentStatus !== "RUNNING" && isStartedByJob(project, vm));
  for (const vm of stopped) {
    project.put({ ...vm, outputs: { ...vm.outputs, currentStatus: "RUNNING" }, guest: announcements(vm, project) });
  }
  return stopped.map(({ inputs }) => String(inputs.name));
}
