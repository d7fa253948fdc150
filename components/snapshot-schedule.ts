import * as gcp from "@pulumi/gcp/compute";
import * as pulumi from "@pulumi/pulumi";

import type { SnapshotSettings } from "./google-settings";
import type { FleetNames } from "./naming";

export interface SnapshotScheduleArgs extends SnapshotSettings {
  names: FleetNames;
  region: string;
}

/**
 * The daily snapshots of a fleet's data disks; takes effect on the disks that it is attached to (ZfsDisk does that).
 * A policy that is in use can be neither changed nor deleted, so another schedule is another policy.
 */
export function snapshotSchedule(
  { names, region, startTime, retentionDays }: SnapshotScheduleArgs,
  options: pulumi.CustomResourceOptions,
): gcp.ResourcePolicy {
  const name = names.snapshotPolicy({ startTime, retentionDays });
  return new gcp.ResourcePolicy(
    `snapshots-${startTime.replace(":", "")}-${retentionDays}d`,
    {
      name,
      region,
      snapshotSchedulePolicy: {
        schedule: { dailySchedule: { daysInCycle: 1, startTime } },
        // What was kept when a disk goes stays: it is the last copy.
        retentionPolicy: { maxRetentionDays: retentionDays, onSourceDiskDelete: "KEEP_AUTO_SNAPSHOTS" },
        // No guest flush: it needs scripts in the guest, and their failure means no snapshot at all. ZFS needs none.
        snapshotProperties: { storageLocations: region, labels: { fleet: names.fleet }, guestFlush: false },
      },
    },
    options,
  );
}
