import { existsSync, readdirSync, rmSync } from "node:fs";
import * as path from "node:path";

import { localNames } from "./address-plan";
import { detachDataDisk } from "./data-disk";
import { queryIncus } from "./host-incus";
import { removeLocalHost } from "./host-provider";
import { removeMachine } from "./machine-lifecycle";
import { ownerKey, ownerOf } from "./owner";

export interface TeardownOptions {
  projectDirectory: string;
  stack: string;
  onProgress?: (line: string) => void;
}

/**
 * Removes every trace of a local fleet from this host, its data disks included, whatever state it is in and whether or
 * not Pulumi still knows of it: machines, loop devices, disks, bridge, pool. Touches nothing of another owner.
 */
export async function removeEverything({ projectDirectory, stack, onProgress }: TeardownOptions): Promise<void> {
  const owner = ownerOf(stack, projectDirectory);
  for (const instance of await instancesOf(owner)) {
    onProgress?.(`removing the machine ${instance}`);
    await removeMachine({ instance, owner, dataDisk: diskFile(instance) }, projectDirectory);
  }
  const disks = path.join(projectDirectory, ".containarium", "disks");
  for (const file of existsSync(disks) ? readdirSync(disks) : []) {
    if (!belongsTo(stack, file)) continue;
    onProgress?.(`removing the disk ${file}`);
    await detachDataDisk(path.join(disks, file));
    rmSync(path.join(disks, file), { force: true });
  }
  const { network, pool } = localNames(stack);
  onProgress?.(`removing the bridge ${network} and the pool ${pool}, if they are this fleet's`);
  await removeLocalHost({ network, pool, owner });
}

async function instancesOf(owner: string): Promise<string[]> {
  const all = await queryIncus<{ name: string; config: Record<string, string> }[]>("/1.0/instances?recursion=1");
  return (all ?? []).filter(({ config }) => config[ownerKey] === owner).map(({ name }) => name);
}

function diskFile(instance: string): string {
  return path.join(".containarium", "disks", `${instance}.img`);
}

/** Disks of the stack `local` have plain names, those of any other stack start with its name. */
function belongsTo(stack: string, file: string): boolean {
  const prefix = stack === "local" ? "" : `${stack}-`;
  return file.startsWith(prefix) && /^jump-\d+\.img$/.test(file.slice(prefix.length));
}
