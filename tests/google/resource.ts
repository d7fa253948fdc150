/**
 * One resource as the engine is asked to make it. Where it was recorded makes no difference: from a component under
 * mocks, from a stand-in for the provider, or written by hand.
 */
export interface Resource {
  /** `gcp:compute/instance:Instance` */
  type: string;
  /** Its name in the stack; the name on Google is among the inputs. */
  name: string;
  urn?: string;
  inputs: Record<string, any>;
  /** What the provider answered, where that is known: the address that Google gave, for one. */
  outputs?: Record<string, any>;
  options?: ResourceOptions;
}

export interface ResourceOptions {
  protect?: boolean;
  retainOnDelete?: boolean;
  deleteBeforeReplace?: boolean;
  /** Id of the thing that is taken over instead of made. */
  import?: string;
  ignoreChanges?: string[];
  replaceOnChanges?: string[];
  parent?: string;
  dependencies?: string[];
  deletedWith?: string;
  replaceWith?: string[];
  aliases?: string[];
  customTimeouts?: { create?: string; update?: string; delete?: string };
}

/** The types that a fleet is made of, or could be. */
export const types = {
  account: "gcp:serviceaccount/account:Account",
  address: "gcp:compute/address:Address",
  autoscaler: "gcp:compute/autoscaler:Autoscaler",
  backend: "gcp:compute/regionBackendService:RegionBackendService",
  disk: "gcp:compute/disk:Disk",
  firewall: "gcp:compute/firewall:Firewall",
  forwardingRule: "gcp:compute/forwardingRule:ForwardingRule",
  group: "gcp:compute/instanceGroup:InstanceGroup",
  groupManager: "gcp:compute/instanceGroupManager:InstanceGroupManager",
  healthCheck: "gcp:compute/regionHealthCheck:RegionHealthCheck",
  instance: "gcp:compute/instance:Instance",
  instanceMember: "gcp:compute/instanceIAMMember:InstanceIAMMember",
  job: "gcp:cloudscheduler/job:Job",
  membership: "gcp:compute/instanceGroupMembership:InstanceGroupMembership",
  network: "gcp:compute/network:Network",
  perInstanceConfig: "gcp:compute/perInstanceConfig:PerInstanceConfig",
  policy: "gcp:compute/resourcePolicy:ResourcePolicy",
  policyAttachment: "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment",
  role: "gcp:projects/iAMCustomRole:IAMCustomRole",
  route: "gcp:compute/route:Route",
  subnet: "gcp:compute/subnetwork:Subnetwork",
  template: "gcp:compute/instanceTemplate:InstanceTemplate",
} as const;

/** NAME of a self link, of an id (`projects/P/zones/Z/disks/NAME`) or of NAME itself. */
export function nameOf(reference: unknown): string {
  return typeof reference === "string" ? (reference.split("/").at(-1) ?? "") : "";
}

/** `Z` of `.../zones/Z/disks/NAME`, when the reference says it. */
export function placeOf(reference: unknown): string | undefined {
  return typeof reference === "string" ? /(?:zones|regions)\/([^/]+)\//.exec(reference)?.[1] : undefined;
}

/** The region of a zone, `us-central1` of `us-central1-a`. */
export function regionOfZone(zone: unknown): string {
  return typeof zone === "string" ? zone.replace(/-[a-z]$/, "") : "";
}
