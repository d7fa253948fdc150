/** What Google refuses and forgets, asked of the provider without an engine. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { preempt, startStopped } from "./backing";
import { type Properties, type StandInProvider, unknownValue } from "./engine-protocol";
import { gcpProvider } from "./gcp-provider";
import { types } from "./kinds";
import { PretendedProject } from "./project";

const place = { project: "acme", zone: "us-central1-a", region: "us-central1" };
let project: PretendedProject;
let provider: StandInProvider;

beforeEach(() => {
  project = new PretendedProject(fs.mkdtempSync(path.join(os.tmpdir(), "containarium-google-")));
  provider = gcpProvider({ CONTAINARIUM_STAND_IN: project.directory }, { operationMs: 0 });
  provider.configure({});
});
afterEach(() => fs.rmSync(project.directory, { recursive: true }));

const make = (type: keyof typeof types, name: string, inputs: Properties = {}) =>
  provider.create({ type: types[type], name }, { name, ...place, ...inputs });
const remove = (type: keyof typeof types, id: string) => provider.delete({ type: types[type], name: "x" }, id, {});

async function vm(name = "vm", inputs: Properties = {}) {
  await make("network", `${name}-net`);
  const subnet = await make("subnetwork", `${name}-subnet`, { network: `${name}-net`, ipCidrRange: "10.64.0.0/24" });
  const disk = await make("disk", `${name}-data`, { size: 20 });
  const address = await make("address", `${name}-ext`);
  const instance = await make("instance", name, {
    networkInterfaces: [{ subnetwork: subnet.id, accessConfigs: [{ natIp: address.outputs.address }] }],
    attachedDisks: [{ source: disk.outputs.selfLink }],
    metadata: { "enable-guest-attributes": "TRUE", "containarium-server": "{}", "containarium-file-bootstrap_sh": "" },
    ...inputs,
  });
  return { subnet, disk, address, instance };
}

const inUse = /is already being used by .*resourceInUseByAnotherResource/;

test("a name is taken as long as the thing is there, whoever made it", async () => {
  const { id } = await make("disk", "data");
  await expect(make("disk", "data")).rejects.toThrow(
    "Error 409: The resource 'projects/acme/zones/us-central1-a/disks/data' already exists, alreadyExists",
  );
  await make("disk", "data", { zone: "us-central1-b" });
  await remove("disk", id);
  await make("disk", "data");
});

test("what a thing refers to must be there", async () => {
  await expect(make("subnetwork", "s", { network: "nowhere", ipCidrRange: "10.64.0.0/24" })).rejects.toThrow(
    "Error 404: The network resource 'nowhere' was not found",
  );
  await expect(vm("vm", { attachedDisks: [{ source: "projects/acme/zones/z/disks/none" }] })).rejects.toThrow("404");
  expect(project.all("Instance")).toEqual([]);
});

test("what is in use stays: disk, address, subnetwork, network, policy, group, health check, backend service", async () => {
  const { subnet, disk, address, instance } = await vm();
  const policy = await make("policy", "daily");
  const attachment = await make("attachment", "daily", { disk: "vm-data" });
  const group = await make("group", "group", { network: "vm-net" });
  const check = await make("healthCheck", "ready");
  const backend = await make("backend", "ssh", { backends: [{ group: group.outputs.selfLink }], healthChecks: check.id }); // prettier-ignore
  const balancerAddress = await make("address", "lb");
  const rule = await make("rule", "ssh", { backendService: backend.id, ipAddress: balancerAddress.outputs.address });
  await expect(remove("disk", disk.id)).rejects.toThrow(inUse);
  await expect(remove("address", address.id)).rejects.toThrow(inUse);
  await expect(remove("subnetwork", subnet.id)).rejects.toThrow(inUse);
  await expect(remove("network", "projects/acme/global/networks/vm-net")).rejects.toThrow(inUse);
  await expect(remove("policy", policy.id)).rejects.toThrow(inUse);
  await expect(remove("group", group.id)).rejects.toThrow(inUse);
  await expect(remove("healthCheck", check.id)).rejects.toThrow(inUse);
  await expect(remove("backend", backend.id)).rejects.toThrow(inUse);
  await expect(remove("address", balancerAddress.id)).rejects.toThrow(inUse);
  for (const [type, { id }] of [["rule", rule], ["backend", backend], ["group", group], ["healthCheck", check],
    ["address", balancerAddress], ["attachment", attachment], ["policy", policy], ["instance", instance],
    ["disk", disk], ["address", address], ["subnetwork", subnet]] as const) await remove(type, id); // prettier-ignore
  await remove("network", "projects/acme/global/networks/vm-net");
  expect(project.all()).toEqual([]);
});

test("one disk is in one VM, one address at one thing, one schedule at one disk", async () => {
  const { disk, address } = await vm();
  await expect(vm("other", { attachedDisks: [{ source: disk.id }] })).rejects.toThrow(inUse);
  await expect(make("instance", "third", { networkInterfaces: [{ accessConfigs: [{ natIp: address.outputs.address }] }] })).rejects.toThrow(inUse); // prettier-ignore
  for (const name of ["daily", "weekly"]) await make("policy", name);
  await make("attachment", "daily", { disk: "vm-data" });
  await expect(make("attachment", "weekly", { disk: "vm-data" })).rejects.toThrow(inUse);
});

test("a VM that is deleted drops out of its group", async () => {
  const { instance } = await vm();
  await make("group", "group");
  await make("membership", "m", { instanceGroup: "group", instance: instance.outputs.selfLink });
  await remove("instance", instance.id);
  expect(project.all("InstanceGroupMembership")).toEqual([]);
});

test("a protected VM is not deleted", async () => {
  const { instance } = await vm("vm", { deletionProtection: true });
  await expect(remove("instance", instance.id)).rejects.toThrow("protected against deletion");
});

test("addresses: the one that was asked for, else a free one, and it stays", async () => {
  const { subnet } = await vm();
  const asked = await make("address", "a", { addressType: "INTERNAL", subnetwork: subnet.id, address: "10.64.0.11" });
  expect(asked.outputs.address).toBe("10.64.0.11");
  const [one, two] = [await make("address", "one"), await make("address", "two")];
  expect(one.outputs.address).toMatch(/^203\.0\.113\.\d+$/);
  expect(one.outputs.address).not.toBe(two.outputs.address);
  expect(await provider.read({ type: types.address, name: "one" }, one.id, {})).toMatchObject({ outputs: one.outputs });
});

test("a name that would be made up is refused; a value that is not known yet is a name", () => {
  const network = { type: types.network, name: "n" };
  expect(provider.check(network, {})).toEqual([{ property: "name", reason: expect.stringContaining("not set") }]);
  expect(provider.check(network, { name: unknownValue })).toEqual([]);
});

describe("guest attributes", () => {
  const ask = async (query: Properties = { queryPath: "containarium/" }) => {
    const token = "gcp:compute/getInstanceGuestAttributes:getInstanceGuestAttributes";
    const answer = await provider.invoke(token, { name: "vm", zone: place.zone, ...query });
    return Object.fromEntries((answer.queryValues as Properties[]).map(({ key, value }) => [key, value]));
  };

  test("host key and readiness, from the first boot on; the key is the data disk's", async () => {
    const { instance, disk } = await vm();
    const first = await ask();
    expect(first).toEqual({ "host-key": expect.stringMatching(/^ssh-ed25519 AAAAC3/), ready: expect.stringMatching(/^[0-9a-f]{64}$/) }); // prettier-ignore
    await remove("instance", instance.id);
    await make("instance", "vm", { ...(instance.outputs as Properties), attachedDisks: [{ source: disk.id }] });
    expect(await ask()).toEqual(first);
    expect(await ask({ queryPath: "other/" })).toEqual({});
  });

  test("a VM that does not boot, or is stopped, says nothing; one that does not exist is an error", async () => {
    await expect(ask()).rejects.toThrow("vm: not found");
    project.behave("vm", { boots: false });
    await vm();
    expect(await ask()).toEqual({});
    project.behave("vm", { hostKey: "ssh-ed25519 AAAAother" });
    preempt(project, project.named("Instance", "vm"));
    expect(await ask()).toEqual({});
    const uri = `https://compute.googleapis.com/compute/v1/${project.named("Instance", "vm").id}/start`;
    const job = await make("job", "starter", { paused: true, httpTarget: { uri } });
    expect(startStopped(project)).toEqual([]);
    await provider.update({ type: types.job, name: "starter" }, job.id, {}, { name: "starter", httpTarget: { uri } });
    expect(startStopped(project)).toEqual(["vm"]);
    expect(await ask()).toMatchObject({ "host-key": "ssh-ed25519 AAAAother" });
  });
});
