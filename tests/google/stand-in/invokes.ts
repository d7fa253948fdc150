import type { Backing } from "./backing";
import type { Properties } from "./engine-protocol";
import { types } from "./kinds";
import type { PretendedProject, Thing } from "./project";
import { pointsAt } from "./references";

/** Data sources. They look; they never make anything. */

export async function getInstance(project: PretendedProject, args: Properties, backing: Backing): Promise<Properties> {
  const { id, outputs } = await backing.look(vmOf(project, args));
  const boot = outputs.bootDisk === undefined ? [] : [outputs.bootDisk];
  return { attachedDisks: [], ...outputs, id, bootDisks: boot, name: outputs.name, zone: outputs.zone };
}

export async function getDisk(project: PretendedProject, { name, zone }: Properties): Promise<Properties> {
  const found = project.all(types.disk).find(({ outputs }) => outputs.name === name && outputs.zone === zone);
  if (found === undefined) throw new Error(`Error when reading or editing Disk ${String(name)}: googleapi: Error 404: notFound`); // prettier-ignore
  return { ...found.outputs, id: found.id };
}

/** What was never written is simply not in the answer; the provider makes no error of it. */
export async function getInstanceGuestAttributes(
  project: PretendedProject,
  args: Properties,
  backing: Backing,
): Promise<Properties> {
  const vm = vmOf(project, args);
  const attributes = Object.entries(await backing.guestAttributes(vm));
  const { queryPath, variableKey } = args;
  const queryValues = attributes
    .filter(([at]) => typeof queryPath === "string" && at.startsWith(queryPath))
    .map(([at, value]) => ({ namespace: at.split("/")[0], key: at.split("/").slice(1).join("/"), value }));
  const variableValue = attributes.find(([at]) => at === variableKey)?.[1] ?? "";
  return { ...args, id: vm.outputs.selfLink, project: vm.outputs.project, zone: vm.outputs.zone, region: "", queryValues, variableValue }; // prettier-ignore
}

function vmOf(project: PretendedProject, { name, selfLink, zone }: Properties): Thing {
  const vms = project.all(types.instance).filter(({ outputs }) => zone === undefined || outputs.zone === zone);
  const found = vms.find((vm) => pointsAt(selfLink ?? name, vm));
  if (found !== undefined) return found;
  throw new Error(`Error when reading or editing Instance ${String(selfLink ?? name)}: not found`);
}
