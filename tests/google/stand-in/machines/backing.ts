import type { Backing } from "../backing";
import { types } from "../kinds";
import type { PretendedProject, Thing } from "../project";
import { valuesAt } from "../properties";
import { isStartedByJob } from "../starter";
import { stops } from "../stops";
import { convergeBalancer, removeBalancer } from "./balancer";
import type { MachineHost } from "./host";
import { dataDiskOf, forProgram } from "./served";
import {
  applyNetwork,
  forgetGuestAttributes,
  guestAttributesOf,
  isRunning,
  makeVm,
  removeVm,
  setDataDisk,
  shareMetadata,
  shareNetwork,
  startVm,
  stopVm,
} from "./vm";

/** Behind the things of the project are machines on this host. What is not here has nothing behind it: firewalls, IAM. */
export function machines(project: PretendedProject, host: MachineHost): Backing {
  const rules = () => project.all(types.rule);
  const balance = async () => void (await Promise.all(rules().map((rule) => convergeBalancer(host, project, rule))));
  const disk = (thing: Thing) => host.attach(nameOf(thing), Number(thing.inputs.size));
  const network = async (without?: Thing) => {
    const vms = project.all(types.instance).filter(({ id }) => id !== without?.id);
    for (const vm of vms) shareNetwork(host, nameOf(vm), networkOf(vm, project, without));
    await Promise.all(vms.map((vm) => applyNetwork(host, nameOf(vm))));
  };

  const dataDisk = async (vm: Thing): Promise<string | undefined> => {
    const found = project.all(types.disk).find((one) => nameOf(one) === dataDiskOf(vm));
    return found && (await disk(found));
  };

  return {
    async made(thing) {
      if (thing.type === types.subnetwork) await host.makeSubnetwork(String(thing.inputs.ipCidrRange));
      if (thing.type === types.disk) {
        if (thing.inputs.snapshot !== undefined) throw new Error("this Google has no snapshots behind its machines");
        await host.makeDisk(nameOf(thing), Number(thing.inputs.size));
      }
      if (thing.type === types.instance) {
        await makeVm(host, thing, await dataDisk(thing), networkOf(thing, project));
      }
      if (thing.type === types.route) await network();
      if (thing.type === types.membership || thing.type === types.rule) await balance();
    },

    async changed(thing, before, starts) {
      if (thing.type === types.disk) await disk(thing);
      if (thing.type === types.backend || thing.type === types.healthCheck) await balance();
      if (thing.type !== types.instance) return;
      const name = nameOf(thing);
      shareMetadata(host, thing);
      shareNetwork(host, name, networkOf(thing, project));
      const otherDisk = dataDiskOf(thing) !== dataDiskOf(before);
      const running = await isRunning(host, name);
      const restart = running && (otherDisk || stops(before.inputs, thing.inputs));
      if (restart) await stopVm(host, name);
      if (otherDisk) await setDataDisk(host, name, (await dataDisk(thing)) ?? "");
      if (restart || (starts && !running)) await startVm(host, name);
      else await applyNetwork(host, name);
    },

    async goes(thing) {
      if (thing.type === types.instance) await removeVm(host, nameOf(thing));
      if (thing.type === types.disk) await host.removeDisk(nameOf(thing));
      if (thing.type === types.subnetwork) await host.removeSubnetwork();
      if (thing.type === types.route) await network(thing);
      if (thing.type === types.rule) await removeBalancer(host, thing);
    },

    async gone(thing) {
      if (thing.type === types.membership || thing.type === types.instance) await balance();
    },

    async look(thing) {
      if (thing.type !== types.instance) return thing;
      const currentStatus = (await isRunning(host, nameOf(thing))) ? "RUNNING" : "TERMINATED";
      return { ...thing, outputs: { ...thing.outputs, currentStatus } };
    },

    async guestAttributes(vm) {
      if (!(await isRunning(host, nameOf(vm)))) return {};
      const told = Object.entries(guestAttributesOf(host, nameOf(vm)));
      return Object.fromEntries(told.map(([key, value]) => [key, forProgram(value, vm)]));
    },

    externalRange: () => host.externalRange(),
  };
}

/** A preemption: the machine shuts down; what it said of itself is gone. */
export async function preemptMachine(host: MachineHost, vm: string): Promise<void> {
  await stopVm(host, vm);
  forgetGuestAttributes(host, vm);
}

/** What the scheduler's jobs do every minute. @returns names of what was started */
export async function startStoppedMachines(host: MachineHost, project: PretendedProject): Promise<string[]> {
  const started: string[] = [];
  for (const vm of project.all(types.instance).filter((one) => isStartedByJob(project, one))) {
    if (await isRunning(host, nameOf(vm))) continue;
    await startVm(host, nameOf(vm));
    started.push(nameOf(vm));
  }
  return started;
}

function nameOf({ inputs }: Thing): string {
  return String(inputs.name);
}

/** Lines of guest/network.sh: external addresses, and the routes to what is behind the others. */
function networkOf(vm: Thing, project: PretendedProject, without?: Thing): string[] {
  const own = valuesAt(vm.inputs, "networkInterfaces[].networkIp");
  const addresses = valuesAt(vm.inputs, "networkInterfaces[].accessConfigs[].natIp");
  const routes = project.all(types.route).filter(({ id, inputs }) => id !== without?.id && !own.includes(inputs.nextHopIp)); // prettier-ignore
  return [
    ...addresses.map((address) => `address ${String(address)}`),
    ...routes.map(({ inputs }) => `route ${String(inputs.destRange)} ${String(inputs.nextHopIp)}`),
  ];
}
