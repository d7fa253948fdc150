import { createHash, randomInt } from "node:crypto";

import { formatAddress, parseCidr, sizeOf } from "../../../components/cidr";
import type { Properties } from "./engine-protocol";
import { types } from "./kinds";
import type { PretendedProject, Thing } from "./project";
import { pointsAt } from "./references";

interface Range {
  base: number;
  size: number;
}

/** What Google adds to what it was asked for. Decided once, when the thing is made. @param external range of addresses */
export function firstOutputs(
  thing: Omit<Thing, "outputs">,
  place: Properties,
  project: PretendedProject,
  external: Range,
): Properties {
  const number = String(randomInt(1e12, 9e12));
  const of: Partial<Record<string, () => Properties>> = {
    [types.network]: () => ({ networkId: number, numericId: number }),
    [types.subnetwork]: () => ({ subnetworkId: Number(number), gatewayAddress: gateway(thing.inputs) }),
    [types.address]: () => ({
      addressId: Number(number),
      address: reservedAddress(thing, project, external),
      users: [],
    }),
    [types.disk]: () => ({ diskId: number, users: [], sourceSnapshotId: "", sourceImageId: "" }),
    [types.instance]: () => ({ instanceId: number, cpuPlatform: "Intel Cascade Lake", currentStatus: "RUNNING" }),
    [types.instanceMember]: () => ({ etag: "BwYx" }),
    [types.group]: () => ({ size: 0 }),
    [types.healthCheck]: () => ({ healthCheckId: Number(number), type: "HTTP" }),
    [types.backend]: () => ({ generatedId: Number(number), fingerprint: "x" }),
    [types.rule]: () => ({ forwardingRuleId: Number(number), baseForwardingRule: "" }),
    [types.route]: () => ({ nextHopNetwork: "", routeType: "STATIC" }),
    [types.account]: () => account(thing.inputs, place, number),
    [types.role]: () => ({ name: thing.id, deleted: false }),
  };
  return { ...place, creationTimestamp: new Date().toISOString(), ...of[thing.type]?.() };
}

/** What follows from what it is now; made anew after every change. */
export function currentOutputs(thing: Thing): Properties {
  const { inputs, outputs } = thing;
  return {
    ...outputs,
    ...inputs,
    selfLink: `https://www.googleapis.com/compute/v1/${thing.id}`,
    effectiveLabels: { ...(inputs.labels as object), "goog-pulumi-provisioned": "true" },
    pulumiLabels: { ...(inputs.labels as object), "goog-pulumi-provisioned": "true" },
    labelFingerprint: fingerprint(inputs.labels),
    ...(thing.type === types.instance ? instance(thing) : {}),
    ...(thing.type === types.job ? { state: inputs.paused === true ? "PAUSED" : "ENABLED" } : {}),
    // The name in the project belongs to the id of an account or role, not to what is written in the program.
    ...(thing.type === types.account || thing.type === types.role ? { name: thing.id } : {}),
    ...(outputs.address === undefined ? {} : { address: outputs.address }),
  };
}

function instance({ inputs, outputs }: Thing): Properties {
  const interfaces = (inputs.networkInterfaces ?? []) as Properties[];
  return {
    networkInterfaces: interfaces.map((one, index) => ({ name: `nic${index}`, ...one })),
    metadataFingerprint: fingerprint(inputs.metadata),
    tagsFingerprint: fingerprint(inputs.tags),
    currentStatus: outputs.currentStatus,
  };
}

function account(inputs: Properties, place: Properties, uniqueId: string): Properties {
  const email = `${String(inputs.accountId)}@${String(place.project)}.iam.gserviceaccount.com`;
  return { email, member: `serviceAccount:${email}`, uniqueId };
}

/** The address that was asked for; else one that nobody has, usually the same for the same name. */
function reservedAddress({ inputs }: Omit<Thing, "outputs">, project: PretendedProject, external: Range): string {
  if (typeof inputs.address === "string") return inputs.address;
  const taken = project.all(types.address).map(({ outputs }) => outputs.address);
  const range = inputs.addressType === "INTERNAL" ? internalRange(inputs, project) : external;
  const start = createHash("sha256").update(String(inputs.name)).digest().readUInt16BE() % (range.size - 4);
  for (let step = 0; step < range.size - 4; step++) {
    const address = formatAddress(range.base + 2 + ((start + step) % (range.size - 4)));
    if (!taken.includes(address)) return address;
  }
  throw new Error("googleapi: Error 400: IP_SPACE_EXHAUSTED");
}

function internalRange(inputs: Properties, project: PretendedProject): Range {
  const subnetwork = project.all(types.subnetwork).find((thing) => pointsAt(inputs.subnetwork, thing));
  const range = parseCidr(String(subnetwork?.inputs.ipCidrRange));
  if (range === undefined) throw new Error(`googleapi: Error 400: no range for the address ${String(inputs.name)}`);
  return { base: range.base, size: sizeOf(range.prefix) };
}

function gateway(inputs: Properties): string {
  return formatAddress((parseCidr(String(inputs.ipCidrRange))?.base ?? 0) + 1);
}

function fingerprint(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value ?? null)).digest("base64").slice(0, 12); // prettier-ignore
}
