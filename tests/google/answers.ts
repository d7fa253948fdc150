import { createHash } from "node:crypto";

import { types } from "./resource";

/** What the provider adds to the inputs of a resource that it made. */
export interface Answer {
  id: string;
  outputs: Record<string, any>;
}

/** Where each type's things are in the paths of Compute Engine. */
const folders: Record<string, (place: { zone: string; region: string }) => string> = {
  [types.address]: ({ region }) => `regions/${region}/addresses`,
  [types.backend]: ({ region }) => `regions/${region}/backendServices`,
  [types.disk]: ({ zone }) => `zones/${zone}/disks`,
  [types.firewall]: () => "global/firewalls",
  [types.forwardingRule]: ({ region }) => `regions/${region}/forwardingRules`,
  [types.group]: ({ zone }) => `zones/${zone}/instanceGroups`,
  [types.healthCheck]: ({ region }) => `regions/${region}/healthChecks`,
  [types.instance]: ({ zone }) => `zones/${zone}/instances`,
  [types.network]: () => "global/networks",
  [types.policy]: ({ region }) => `regions/${region}/resourcePolicies`,
  [types.route]: () => "global/routes",
  [types.subnet]: ({ region }) => `regions/${region}/subnetworks`,
};

/**
 * Google, as far as a program sees it in its resources' outputs. An answer depends on the resource alone, whatever else
 * was made: two recordings can be compared.
 */
export function answer(project: string, type: string, logicalName: string, inputs: Record<string, any>): Answer {
  const name: string = inputs.name ?? `${logicalName}-${digest(logicalName).slice(0, 7)}`;
  const { zone = "us-central1-a", region = "us-central1" } = inputs;
  const folder = folders[type]?.({ zone, region });
  if (folder === undefined) return elsewhere(project, type, name, inputs);
  const id = `projects/${project}/${folder}/${name}`;
  const common = {
    name,
    project,
    selfLink: `https://www.googleapis.com/compute/v1/${id}`,
    creationTimestamp: "2026-01-01T00:00:00.000-08:00",
  };
  return { id, outputs: { ...inputs, ...common, ...special(type, name, inputs) } };
}

/** What only this type has. */
function special(type: string, name: string, inputs: Record<string, any>): Record<string, any> {
  const number = String(parseInt(digest(name).slice(0, 12), 16));
  if (type === types.address) return { address: inputs.address ?? someAddress(name) };
  if (type === types.disk) return { diskId: number };
  if (type === types.network) return { numericId: number };
  if (type === types.forwardingRule) return { ipAddress: inputs.ipAddress ?? someAddress(name) };
  if (type !== types.instance) return {};
  const networkInterfaces = (inputs.networkInterfaces ?? []).map((one: object, index: number) => ({ name: `nic${index}`, ...one })); // prettier-ignore
  return { instanceId: number, currentStatus: "RUNNING", networkInterfaces };
}

/** Of other services of Google, and of other providers. */
function elsewhere(project: string, type: string, name: string, inputs: Record<string, any>): Answer {
  if (type === types.account) {
    const email = `${inputs.accountId}@${project}.iam.gserviceaccount.com`;
    const id = `projects/${project}/serviceAccounts/${email}`;
    return { id, outputs: { ...inputs, email, name: id, project, member: `serviceAccount:${email}` } };
  }
  if (type === types.role) {
    const id = `projects/${project}/roles/${inputs.roleId}`;
    return { id, outputs: { ...inputs, name: id, project } };
  }
  if (type === types.job) {
    const id = `projects/${project}/locations/${inputs.region}/jobs/${name}`;
    return { id, outputs: { ...inputs, name, project, state: inputs.paused === true ? "PAUSED" : "ENABLED" } };
  }
  if (type === "command:remote:Command") return { id: name, outputs: { ...inputs, stdout: "", stderr: "" } };
  return { id: `${name}-id`, outputs: type.startsWith("gcp:") ? { ...inputs, project } : inputs };
}

/** Of 240.0.0.0/4, where nobody is. */
function someAddress(name: string): string {
  const [first = 0, ...rest] = createHash("sha256").update(name).digest().subarray(0, 4);
  return [240 + (first % 15), ...rest].join(".");
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
