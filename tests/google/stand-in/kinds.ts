/**
 * What Google and its provider know of the kinds of things that a fleet is made of, as a table: how a thing is
 * identified, what it refers to, which changes make it anew. The latter is what the Go source of the provider marks
 * ForceNew (terraform-provider-google e03b7622); the installed package's comments say it of few properties only.
 */
export interface Kind {
  /** Google's word for it in messages. */
  what: string;
  /** Inputs that have to be there; the real provider would make up a random name for the first. */
  named: [string, ...string[]];
  /** With the inputs in braces. `{region}` of a thing that has only a zone is the zone's. */
  id: string;
  /** Properties that a thing keeps for life, with all below them; or those that alone may change. */
  keeps: string[] | { allBut: string[] };
  references: Reference[];
}

export interface Reference {
  /** Where it is written; `[]` is every element. */
  path: string;
  /** Kind of what it refers to. */
  to: string;
  /** There must be such a thing when this one is made. An address may also be one that nobody reserved. */
  required: boolean;
  /** What is referred to cannot be deleted as long as this is there. */
  holds: boolean;
  /** One thing at a time may refer to it as this. */
  alone?: "attached disk" | "address" | "schedule";
}

const holds = (path: string, to: string): Reference => ({ path, to, required: true, holds: true });
const needs = (path: string, to: string): Reference => ({ path, to, required: true, holds: false });
const alone = (as: Reference["alone"], reference: Reference): Reference => ({ ...reference, alone: as });

export const types = {
  network: "gcp:compute/network:Network",
  subnetwork: "gcp:compute/subnetwork:Subnetwork",
  firewall: "gcp:compute/firewall:Firewall",
  address: "gcp:compute/address:Address",
  disk: "gcp:compute/disk:Disk",
  attachment: "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment",
  policy: "gcp:compute/resourcePolicy:ResourcePolicy",
  instance: "gcp:compute/instance:Instance",
  instanceMember: "gcp:compute/instanceIAMMember:InstanceIAMMember",
  route: "gcp:compute/route:Route",
  group: "gcp:compute/instanceGroup:InstanceGroup",
  membership: "gcp:compute/instanceGroupMembership:InstanceGroupMembership",
  healthCheck: "gcp:compute/regionHealthCheck:RegionHealthCheck",
  backend: "gcp:compute/regionBackendService:RegionBackendService",
  rule: "gcp:compute/forwardingRule:ForwardingRule",
  job: "gcp:cloudscheduler/job:Job",
  account: "gcp:serviceaccount/account:Account",
  role: "gcp:projects/iAMCustomRole:IAMCustomRole",
} as const;

const external = alone("address", { path: "networkInterfaces[].accessConfigs[].natIp", to: types.address, required: true, holds: true }); // prettier-ignore
const internal = alone("address", {
  path: "networkInterfaces[].networkIp",
  to: types.address,
  required: false,
  holds: true,
});

export const kinds: Record<string, Kind> = {
  [types.network]: {
    what: "network",
    named: ["name"],
    id: "projects/{project}/global/networks/{name}",
    keeps: ["name", "autoCreateSubnetworks", "description", "internalIpv6Range", "networkProfile", "params", "project"],
    references: [],
  },
  [types.subnetwork]: {
    what: "subnetwork",
    named: ["name"],
    id: "projects/{project}/regions/{region}/subnetworks/{name}",
    keeps: ["name", "network", "description", "externalIpv6Prefix", "internalIpv6Prefix", "params", "region",
      "reservedInternalRange", "project"], // prettier-ignore
    references: [holds("network", types.network)],
  },
  [types.firewall]: {
    what: "firewall",
    named: ["name"],
    id: "projects/{project}/global/firewalls/{name}",
    keeps: ["name", "direction", "params", "project"],
    references: [holds("network", types.network)],
  },
  [types.address]: {
    what: "address",
    named: ["name"],
    id: "projects/{project}/regions/{region}/addresses/{name}",
    keeps: { allBut: ["labels", "deletionPolicy"] },
    references: [holds("subnetwork", types.subnetwork)],
  },
  [types.disk]: {
    what: "disk",
    named: ["name"],
    id: "projects/{project}/zones/{zone}/disks/{name}",
    keeps: ["name", "architecture", "asyncPrimaryDisk", "description", "diskEncryptionKey", "enableConfidentialCompute",
      "guestOsFeatures", "image", "licenses", "params", "physicalBlockSizeBytes", "snapshot", "sourceDisk",
      "sourceImageEncryptionKey", "sourceInstantSnapshot", "sourceSnapshotEncryptionKey", "sourceStorageObject",
      "storagePool", "type", "zone", "project"], // prettier-ignore
    references: [],
  },
  [types.attachment]: {
    what: "disk resource policy attachment",
    named: ["name", "disk"],
    id: "projects/{project}/zones/{zone}/disks/{disk}/{name}",
    keeps: { allBut: [] },
    // One snapshot schedule per disk; a policy serves many.
    references: [alone("schedule", needs("disk", types.disk)), holds("name", types.policy)],
  },
  [types.policy]: {
    what: "resourcePolicy",
    named: ["name"],
    id: "projects/{project}/regions/{region}/resourcePolicies/{name}",
    // The provider learns to change schedules in place; what has to hold with every version is the harder case.
    keeps: { allBut: ["deletionPolicy"] },
    references: [],
  },
  [types.instance]: {
    what: "instance",
    named: ["name"],
    id: "projects/{project}/zones/{zone}/instances/{name}",
    keeps: ["bootDisk.deviceName", "bootDisk.diskEncryptionKeyRaw", "bootDisk.kmsKeySelfLink", "bootDisk.guestOsFeatures",
      "bootDisk.initializeParams.type", "bootDisk.initializeParams.image", "bootDisk.initializeParams.snapshot",
      "bootDisk.initializeParams.provisionedIops", "bootDisk.initializeParams.provisionedThroughput",
      "bootDisk.initializeParams.storagePool", "bootDisk.initializeParams.architecture",
      "bootDisk.initializeParams.resourcePolicies", "bootDisk.mode", "bootDisk.source", "bootDisk.forceAttach", "name",
      "networkInterfaces[].networkAttachment", "networkInterfaces[].nicType", "networkInterfaces[].queueCount",
      "networkPerformanceConfig", "guestAccelerators", "params", "project", "scheduling.preemptible",
      "scheduling.provisioningModel", "scheduling.terminationTime", "scheduling.maxRunDuration",
      "scheduling.onInstanceStopAction", "scheduling.localSsdRecoveryTimeouts", "scratchDisks",
      "confidentialInstanceConfig", "zone", "hostname", "reservationAffinity", "keyRevocationActionType",
      "metadataStartupScript"], // prettier-ignore
    references: [
      holds("networkInterfaces[].network", types.network),
      holds("networkInterfaces[].subnetwork", types.subnetwork),
      external,
      internal,
      // The real provider would detach the disk by itself, under the running system. That must never be how it comes off.
      alone("attached disk", holds("attachedDisks[].source", types.disk)),
      alone("attached disk", holds("bootDisk.source", types.disk)),
      holds("resourcePolicies", types.policy),
    ],
  },
  [types.instanceMember]: {
    what: "instance IAM member",
    named: ["instanceName", "role", "member"],
    id: "projects/{project}/zones/{zone}/instances/{instanceName}/{role}/{member}",
    keeps: { allBut: [] },
    references: [needs("instanceName", types.instance), needs("member", types.account)],
  },
  [types.route]: {
    what: "route",
    named: ["name"],
    id: "projects/{project}/global/routes/{name}",
    keeps: { allBut: ["deletionPolicy"] },
    references: [holds("network", types.network), holds("nextHopInstance", types.instance)],
  },
  [types.group]: {
    what: "instanceGroup",
    named: ["name"],
    id: "projects/{project}/zones/{zone}/instanceGroups/{name}",
    keeps: ["name", "zone", "description", "network", "project"],
    references: [holds("network", types.network)],
  },
  [types.membership]: {
    what: "instance group membership",
    named: ["instanceGroup", "instance"],
    id: "projects/{project}/zones/{zone}/instanceGroups/{instanceGroup}/{instance}",
    keeps: { allBut: [] },
    references: [needs("instanceGroup", types.group), needs("instance", types.instance)],
  },
  [types.healthCheck]: {
    what: "healthCheck",
    named: ["name"],
    id: "projects/{project}/regions/{region}/healthChecks/{name}",
    keeps: ["name", "region", "project"],
    references: [],
  },
  [types.backend]: {
    what: "backendService",
    named: ["name"],
    id: "projects/{project}/regions/{region}/backendServices/{name}",
    keeps: ["name", "loadBalancingScheme", "network", "params", "region", "project"],
    references: [holds("backends[].group", types.group), holds("healthChecks", types.healthCheck)],
  },
  [types.rule]: {
    what: "forwardingRule",
    named: ["name"],
    id: "projects/{project}/regions/{region}/forwardingRules/{name}",
    keeps: ["name", "ipAddress", "ipProtocol", "allPorts", "backendService", "description", "ipCollection", "ipVersion",
      "isMirroringCollector", "loadBalancingScheme", "network", "networkTier", "noAutomateDnsZone", "portRange", "ports",
      "region", "serviceDirectoryRegistrations", "serviceLabel", "sourceIpRanges", "subnetwork", "project"], // prettier-ignore
    references: [
      { ...external, path: "ipAddress" },
      holds("backendService", types.backend),
      holds("subnetwork", types.subnetwork),
      holds("network", types.network),
    ],
  },
  [types.job]: {
    what: "job",
    named: ["name"],
    id: "projects/{project}/locations/{region}/jobs/{name}",
    keeps: ["name", "region", "project"],
    references: [needs("httpTarget.oauthToken.serviceAccountEmail", types.account)],
  },
  [types.account]: {
    what: "service account",
    named: ["accountId"],
    id: "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
    keeps: ["accountId", "project"],
    references: [],
  },
  [types.role]: {
    what: "role",
    named: ["roleId"],
    id: "projects/{project}/roles/{roleId}",
    keeps: ["roleId", "project"],
    references: [],
  },
};

/** What goes with an instance without anybody asking: a new one under the same name is not in its old group. */
export const goesWith: Record<string, string[]> = {
  [types.instance]: [types.membership, types.instanceMember],
  [types.disk]: [types.attachment],
};

/** Changes for which a running instance has to be stopped; refused unless `allowStoppingForUpdate` is set. */
export const needsStop = ["machineType", "minCpuPlatform", "enableDisplay", "shieldedInstanceConfig", "serviceAccount",
  "advancedMachineFeatures", "networkInterfaces[].network", "networkInterfaces[].subnetwork",
  "networkInterfaces[].networkIp"]; // prettier-ignore
