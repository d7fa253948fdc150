import { isDeepStrictEqual } from "node:util";

import type { dynamic } from "@pulumi/pulumi";

import { InvalidInputError } from "../../ops/errors";
import { projectDirectory } from "../project-directory";
import { refuseShrinking } from "./data-disk";
import {
  convergeMachine,
  isMachineRunning,
  type MachineIdentity,
  type MachineSpec,
  removeMachine,
} from "./machine-lifecycle";

export type MachineOutputs = MachineSpec & MachineIdentity;

export const localMachineProvider = {
  async check(_olds: unknown, news: MachineSpec): Promise<dynamic.CheckResult<MachineSpec>> {
    return { inputs: news, failures: [] };
  },

  /** Looks at the host: a machine that was thrown away is made again by an unchanged program. */
  async diff(_id: string, olds: MachineOutputs, news: MachineSpec): Promise<dynamic.DiffResult> {
    refuseRenaming(olds, news);
    refuseShrinking(`the disk of ${olds.server}`, olds.dataDiskSizeGb, news.dataDiskSizeGb);
    const { hostKeys: _, diskId: __, ...was } = comparable(olds);
    const changes = !isDeepStrictEqual(was, comparable(news)) || !(await isMachineRunning(news));
    return { changes, replaces: [], stables: ["hostKeys", "diskId"] };
  },

  async create(inputs: MachineSpec): Promise<dynamic.CreateResult<MachineOutputs>> {
    return { id: inputs.instance, outs: { ...inputs, ...(await convergeMachine(inputs, projectDirectory())) } };
  },

  async read(id: string, props: MachineOutputs): Promise<dynamic.ReadResult<MachineOutputs>> {
    // A machine that is gone or stopped stays in the state: its disk is there, and the next update brings it back.
    return { id, props };
  },

  async update(_id: string, olds: MachineOutputs, news: MachineSpec): Promise<dynamic.UpdateResult<MachineOutputs>> {
    return { outs: { ...news, ...(await convergeMachine(news, projectDirectory(), olds)) } };
  },

  async delete(_id: string, props: MachineOutputs): Promise<void> {
    await removeMachine(props, projectDirectory());
  },
};

/** A newer machine image alone is no reason to touch a living machine. `__provider` is Pulumi's. */
function comparable<T extends MachineSpec>(spec: T): Omit<T, "image"> {
  const { image: _, ...rest } = spec;
  delete (rest as Record<string, unknown>)["__provider"];
  return rest;
}

/** A machine under another name would get a new, empty disk while the old one lies there. */
function refuseRenaming(olds: MachineOutputs, news: MachineSpec): void {
  if (olds.instance === news.instance && olds.dataDisk === news.dataDisk) return;
  throw new InvalidInputError(`${olds.server} is the machine ${olds.instance}, it cannot become ${news.instance}`, {
    remedy: "Give the stack its old name back:  npm run pulumi -- stack rename OLD-NAME",
  });
}
