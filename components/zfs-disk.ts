import * as gcp from "@pulumi/gcp/compute";
import * as pulumi from "@pulumi/pulumi";

import type { DiskType } from "./cost";
import { DataDiskRecord } from "./data-disk-record";
import type { DataDiskPlan } from "./fleet-plan";

export interface ZfsDiskArgs {
  /** Name, size in GiB (grows only), snapshot to restore from, or whether it is there already. */
  plan: DataDiskPlan;
  /** Id of the Google project. */
  project: string;
  zone: string;
  /** Fixed once the disk is there. */
  type: DiskType;
  /** Value of the label `fleet`. */
  fleet: string;
  /** Policy of the daily snapshots; undefined: none are made. */
  snapshotPolicy: gcp.ResourcePolicy | undefined;
  /** Refuse every deletion, also of the whole stack. Default false: the disk is kept in any case. */
  protect?: boolean;
}

/**
 * A server's data disk. Nothing that Pulumi does destroys it: what would delete it lets go of it, what would replace it
 * is refused by its record, or by Google because a disk of that name exists. A restore is a new disk (generation 2, ...)
 * beside the old one.
 */
export class ZfsDisk extends pulumi.ComponentResource {
  readonly disk: gcp.Disk;
  /** What must not be touched when the disk is in danger depends on this. */
  readonly record: DataDiskRecord;

  constructor(name: string, args: ZfsDiskArgs, options?: pulumi.ComponentResourceOptions) {
    super("containarium:google:ZfsDisk", name, {}, options);
    const { plan, project, zone, type, fleet, snapshotPolicy, protect = false } = args;
    this.record = new DataDiskRecord(
      // One for all generations: it knows which one the server had.
      `${name}-record`,
      {
        disk: plan.name,
        project,
        zone,
        type,
        sizeGb: plan.sizeGb,
        adopt: plan.adopt,
        inProject: exists({ name: plan.name, zone, project }),
      },
      { parent: this },
    );
    this.disk = new gcp.Disk(
      plan.logicalName,
      {
        name: plan.name,
        zone,
        type,
        size: plan.sizeGb,
        // A ZFS sector is 4 KiB (ashift 12).
        physicalBlockSizeBytes: 4096,
        labels: { fleet },
        ...(plan.snapshot !== undefined && { snapshot: plan.snapshot }),
      },
      {
        parent: this,
        dependsOn: this.record,
        protect,
        retainOnDelete: true,
        // Where it came from is history: dropping the line must not mean another disk.
        ignoreChanges: ["snapshot", "physicalBlockSizeBytes"],
        ...(plan.adopt && { import: `projects/${project}/zones/${zone}/disks/${plan.name}` }),
      },
    );
    if (snapshotPolicy !== undefined) {
      new gcp.DiskResourcePolicyAttachment(
        `${plan.logicalName}-snapshots`,
        { name: snapshotPolicy.name, disk: this.disk.name, zone },
        // A disk takes one schedule: the old one goes first.
        { parent: this, deleteBeforeReplace: true },
      );
    }
    this.registerOutputs({ disk: this.disk.id });
  }
}

/** Whether the project has such a disk now, known to Pulumi or not. */
async function exists(disk: { name: string; zone: string; project: string }): Promise<boolean> {
  try {
    await gcp.getDisk(disk, { async: true });
    return true;
  } catch (error) {
    if (/not ?found|404/i.test((error as Error).message)) return false;
    throw error;
  }
}
