import { between, list } from "../fleet";
import { nameOf, regionOfZone, type Resource, types } from "../resource";
import { each, type Rule } from "../rule";

const schedule = ({ inputs }: Resource): Record<string, any> | undefined => inputs.snapshotSchedulePolicy;

/** A check of policies that make snapshots. */
function snapshots(problem: (policy: Record<string, any>) => string | false | undefined): Rule["check"] {
  return each(types.policy, (resource) => schedule(resource) !== undefined && problem(schedule(resource)!));
}

export const snapshotRules: readonly Rule[] = [
  {
    id: "data-disk-has-snapshots",
    what: "A snapshot policy is attached to every data disk, unless no snapshots are wanted.",
    source: "ours",
    check: each(types.disk, (disk, fleet) =>
      fleet.told.snapshotsOff !== true &&
      fleet.isDataDisk(disk) &&
      !fleet.byType(types.policyAttachment).some(({ inputs }) => nameOf(inputs.disk) === disk.inputs.name) &&
      "no snapshot policy is attached",
    ), // prettier-ignore
  },
  {
    id: "snapshot-policy-is-attached",
    what: "A policy that is attached to nothing makes no snapshots.",
    source: "ours",
    check: each(types.policy, (policy, fleet) => !fleet.byType(types.policyAttachment).some(({ inputs }) => nameOf(inputs.name) === policy.inputs.name) && "is attached to no disk"), // prettier-ignore
  },
  {
    id: "snapshot-attachment",
    what: "An attachment has the bare name of a policy and of a disk, both of which exist.",
    source: "provider",
    check: each(types.policyAttachment, ({ inputs }, fleet) => [
      String(inputs.name).includes("/") && `name ${inputs.name}`,
      String(inputs.disk).includes("/") && `disk ${inputs.disk}`,
      fleet.find(types.policy, inputs.name) === undefined && `there is no policy ${inputs.name}`,
      fleet.find(types.disk, inputs.disk) === undefined && `there is no disk ${inputs.disk}`,
    ]),
  },
  {
    id: "snapshot-attachment-zone",
    what: "An attachment is in the zone of its disk.",
    source: "api",
    check: each(types.policyAttachment, ({ inputs }, fleet) => {
      const zone = fleet.find(types.disk, inputs.disk)?.inputs.zone;
      return zone !== undefined && zone !== inputs.zone && `${inputs.disk} is in ${zone}`;
    }),
  },
  {
    id: "snapshot-policy-region",
    what: "A policy is in the region of its disks.",
    source: "api",
    check: each(types.policyAttachment, ({ inputs }, fleet) => {
      const region = fleet.find(types.policy, inputs.name)?.inputs.region;
      return region !== undefined && region !== regionOfZone(inputs.zone) && `${inputs.name} is in ${region}`;
    }),
  },
  {
    id: "one-schedule-per-disk",
    what: "A disk has one snapshot policy.",
    source: "api",
    check: each(types.policyAttachment, (attachment, fleet) => {
      const first = fleet.byType(types.policyAttachment).find(({ inputs }) => nameOf(inputs.disk) === nameOf(attachment.inputs.disk)); // prettier-ignore
      return first !== attachment && `${attachment.inputs.disk} has ${first?.inputs.name}`;
    }),
  },
  {
    id: "disk-lists-no-policies",
    what: "What is attached by a resource of its own is not listed at the disk too: one would undo the other.",
    source: "provider",
    check: each(types.disk, ({ inputs }) => list(inputs.resourcePolicies).length > 0 && "resourcePolicies is set"),
  },
  {
    id: "snapshot-days",
    what: "A daily schedule is every day.",
    source: "api",
    check: snapshots(({ schedule: { dailySchedule: daily } }) => daily !== undefined && daily.daysInCycle !== 1 && `daysInCycle ${daily.daysInCycle}`), // prettier-ignore
  },
  {
    id: "snapshot-time",
    what: "Snapshots start at 00:00, 04:00, 08:00, 12:00, 16:00 or 20:00.",
    source: "api",
    check: snapshots(({ schedule: { dailySchedule: daily } }) => daily !== undefined && !/^(00|04|08|12|16|20):00$/.test(daily.startTime) && `startTime ${daily.startTime}`), // prettier-ignore
  },
  {
    id: "snapshot-retention",
    what: "Snapshots are kept for a day or more.",
    source: "api",
    check: snapshots(({ retentionPolicy: kept }) => kept !== undefined && !between(kept.maxRetentionDays, 1, 65535) && `maxRetentionDays ${kept.maxRetentionDays}`), // prettier-ignore
  },
  {
    id: "snapshots-outlive-the-disk",
    what: "Snapshots stay when the disk is deleted.",
    source: "ours",
    check: snapshots(({ retentionPolicy: kept }) => kept !== undefined && kept.onSourceDiskDelete !== "KEEP_AUTO_SNAPSHOTS" && `onSourceDiskDelete ${kept.onSourceDiskDelete}`), // prettier-ignore
  },
  {
    id: "snapshot-does-not-ask-the-guest",
    what: "With guestFlush there is no snapshot at all unless the guest has scripts for it; ZFS needs none.",
    source: "docs",
    check: snapshots(({ snapshotProperties: properties }) => properties?.guestFlush === true && "guestFlush is set"),
  },
];
