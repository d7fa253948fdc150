import { all, option, remove, set, twin } from "../change";
import { prodFleet } from "../fleets";
import type { Break } from "./break";

const disk = "containarium-prod-jump-1-data";
const policy = (values: Record<string, unknown>) => set("daily", { snapshotSchedulePolicy: values });
const before = { before: prodFleet() };

export const diskBreaks: readonly Break[] = [
  { rule: "disk-size", how: "9 GB", change: set("jump-1-data", { size: 9 }) },
  { rule: "disk-size", how: "nothing said", change: set("jump-1-data", { size: undefined }) },
  { rule: "disk-size", how: "half a GB", change: set("jump-1-data", { size: 10.5 }) },
  { rule: "disk-size", how: "too large", change: set("jump-1-data", { size: 65537 }) },
  { rule: "boot-disk-size", how: "less than the image", change: set("jump-1", { bootDisk: { initializeParams: { size: 9 } } }) }, // prettier-ignore
  { rule: "disk-never-shrinks", how: "100 to 99", change: set("jump-1-data", { size: 99 }), told: before },
  { rule: "disk-is-not-replaced", how: "another type", change: set("jump-1-data", { type: "pd-ssd" }), told: before },
  { rule: "disk-is-not-replaced", how: "a snapshot over the living disk", change: set("jump-1-data", { snapshot: "global/snapshots/x" }), told: before }, // prettier-ignore
  { rule: "disk-zone", how: "another zone", change: all(set("jump-1-data", { zone: "us-central1-b" }), set("jump-1-data-snapshots", { zone: "us-central1-b" })), at: "jump-1" }, // prettier-ignore
  { rule: "disk-attached-once", how: "the second server has the first one's too", change: { at: "jump-2", apply: (fleet) => fleet.map((one) => (one.name === "jump-2" ? { ...one, inputs: { ...one.inputs, attachedDisks: [...one.inputs.attachedDisks, { source: disk, deviceName: "other" }] } } : one)) } }, // prettier-ignore
  { rule: "disk-is-in-use", how: "one too many", change: twin("jump-1-data", "spare", { name: "spare" }) },
  {
    rule: "disk-is-kept",
    how: "deleted with its server",
    change: option("jump-1-data", { retainOnDelete: undefined }),
  },
  {
    rule: "disk-has-one-origin",
    how: "two",
    change: set("jump-1-data", { snapshot: "global/snapshots/x", image: "y" }),
  },

  { rule: "data-disk-has-snapshots", how: "no attachment", change: remove("jump-1-data-snapshots"), at: "jump-1-data" },
  {
    rule: "snapshot-policy-is-attached",
    how: "a policy for nobody",
    change: twin("daily", "weekly", { name: "weekly" }),
  },
  { rule: "snapshot-attachment", how: "a link", change: set("jump-1-data-snapshots", { name: "regions/us-central1/resourcePolicies/containarium-prod-daily-0400-30d" }) }, // prettier-ignore
  { rule: "snapshot-attachment", how: "a disk's link", change: set("jump-1-data-snapshots", { disk: `zones/us-central1-a/disks/${disk}` }) }, // prettier-ignore
  { rule: "snapshot-attachment", how: "a policy that is not there", change: set("jump-1-data-snapshots", { name: "weekly" }) }, // prettier-ignore
  { rule: "snapshot-attachment-zone", how: "another zone", change: set("jump-1-data-snapshots", { zone: "us-central1-b" }) }, // prettier-ignore
  { rule: "snapshot-policy-region", how: "another region", change: all(twin("daily", "far", { name: "far", region: "europe-west4" }), set("jump-1-data-snapshots", { name: "far" })), at: "jump-1-data-snapshots" }, // prettier-ignore
  { rule: "one-schedule-per-disk", how: "two", change: all(twin("daily", "noon", { name: "noon" }), twin("jump-1-data-snapshots", "second", { name: "noon" })), at: "second" }, // prettier-ignore
  { rule: "disk-lists-no-policies", how: "one", change: set("jump-1-data", { resourcePolicies: ["daily"] }) },
  {
    rule: "snapshot-days",
    how: "every second day",
    change: policy({ schedule: { dailySchedule: { daysInCycle: 2 } } }),
  },
  { rule: "snapshot-time", how: "03:00", change: policy({ schedule: { dailySchedule: { startTime: "03:00" } } }) },
  { rule: "snapshot-retention", how: "no day", change: policy({ retentionPolicy: { maxRetentionDays: 0 } }) },
  { rule: "snapshots-outlive-the-disk", how: "APPLY_RETENTION_POLICY", change: policy({ retentionPolicy: { onSourceDiskDelete: "APPLY_RETENTION_POLICY" } }) }, // prettier-ignore
  { rule: "snapshot-does-not-ask-the-guest", how: "guestFlush", change: policy({ snapshotProperties: { guestFlush: true } }) }, // prettier-ignore
];
