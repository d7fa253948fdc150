import * as scheduler from "@pulumi/gcp/cloudscheduler";
import * as gcp from "@pulumi/gcp/compute";
import * as projects from "@pulumi/gcp/projects";
import * as accounts from "@pulumi/gcp/serviceaccount";
import * as pulumi from "@pulumi/pulumi";

import { prodFleet } from "./fleets";
import { problems } from "./problems";
import { recordResources } from "./recorder";
import { nameOf, placeOf, regionOfZone, type Resource } from "./resource";

jest.setTimeout(60_000);

/** The fleet that was written by hand, by way of the real classes: each reference is an output of what it means. */
function program(fleet: Resource[]): void {
  const inputsOf = (name: string) => fleet.find((one) => one.name === name)!.inputs as any;
  const network = new gcp.Network("network", inputsOf("network"));
  const subnet = new gcp.Subnetwork("subnet", { ...inputsOf("subnet"), network: network.id });
  for (const purpose of ["ssh", "fleet", "health"])
    new gcp.Firewall(`allow-${purpose}`, { ...inputsOf(`allow-${purpose}`), network: network.selfLink });
  const policy = new gcp.ResourcePolicy("daily", inputsOf("daily"));
  const account = new accounts.Account("starter", inputsOf("starter"));
  const role = new projects.IAMCustomRole("starter-role", inputsOf("starter-role"));
  const group = new gcp.InstanceGroup("ssh-group", { ...inputsOf("ssh-group"), network: network.id });
  const balancer = new gcp.Address("ssh-address", inputsOf("ssh-address"));
  const check = new gcp.RegionHealthCheck("ssh-ready", inputsOf("ssh-ready"));
  const backends = [{ group: group.selfLink, balancingMode: "CONNECTION" }];
  const backend = new gcp.RegionBackendService("ssh-backend", { ...inputsOf("ssh-backend"), healthChecks: check.id, backends }); // prettier-ignore
  new gcp.ForwardingRule("ssh-rule", {
    ...inputsOf("ssh-rule"),
    ipAddress: balancer.address,
    backendService: backend.id,
  });
  for (const id of [1, 2, 4]) {
    const name = `jump-${id}`;
    const external = new gcp.Address(`${name}-ext`, inputsOf(`${name}-ext`));
    const internal = new gcp.Address(`${name}-int`, { ...inputsOf(`${name}-int`), subnetwork: subnet.id });
    const disk = new gcp.Disk(`${name}-data`, inputsOf(`${name}-data`), { retainOnDelete: true });
    const { zone } = disk;
    new gcp.DiskResourcePolicyAttachment(`${name}-snapshots`, { name: policy.name, disk: disk.name, zone });
    const vm = new gcp.Instance(
      name,
      {
        ...inputsOf(name),
        attachedDisks: [{ source: disk.selfLink, deviceName: "incus-data" }],
        networkInterfaces: [{ subnetwork: subnet.id, networkIp: internal.address, accessConfigs: [{ natIp: external.address }] }], // prettier-ignore
      },
      { deleteBeforeReplace: true },
    );
    new gcp.Route(`${name}-route`, { ...inputsOf(`${name}-route`), network: network.id, nextHopIp: internal.address });
    const { httpTarget, ...job } = inputsOf(`${name}-starter`);
    const uri = pulumi.interpolate`https://compute.googleapis.com/compute/v1/${vm.id}/start`;
    const oauthToken = { serviceAccountEmail: account.email };
    new scheduler.Job(`${name}-starter`, { ...job, httpTarget: { ...httpTarget, uri, oauthToken } });
    const member = { instanceName: vm.name, zone: vm.zone, role: role.name, member: account.member };
    new gcp.InstanceIAMMember(`${name}-may-start`, member, { replaceWith: [vm] });
    new gcp.InstanceGroupMembership(
      `${name}-member`,
      {
        zone: vm.zone,
        instance: vm.selfLink,
        instanceGroup: group.name,
      },
      { replaceWith: [vm] },
    );
  }
}

test("a right program has none", async () => {
  expect(problems(await recordResources(() => program(prodFleet()), { stack: "prod" }))).toEqual([]);
});

test("a wrong one has those of the declarations, and those of the rules", async () => {
  const wrong = (resource: Resource) =>
    resource.name === "jump-2" ? { ...resource, inputs: { ...resource.inputs, canIpForward: "false" } } : resource;
  const resources = await recordResources(() => program(prodFleet().map(wrong)), { stack: "prod" });
  expect(problems(resources)).toEqual([
    "jump-2: canIpForward: is string, not boolean",
    "jump-2: route-server-forwards: canIpForward is not set",
  ]);
});

test("components, dynamic resources and providers are passed over", () => {
  const others = ["containarium:index:Fleet", "pulumi-nodejs:dynamic/containarium:Container", "pulumi:providers:gcp"];
  expect(problems(others.map((type) => ({ type, name: "x", inputs: { y: 1 } })))).toEqual([]);
});

test.each(["data", "projects/p/zones/us-central1-a/disks/data", "https://www.googleapis.com/compute/v1/projects/p/zones/us-central1-a/disks/data"])(
  "the name in %s",
  (reference) => {
    expect(nameOf(reference)).toBe("data");
    expect(placeOf(reference)).toBe(reference === "data" ? undefined : "us-central1-a");
  },
); // prettier-ignore

test("the region of a zone", () => {
  expect(regionOfZone("us-central1-a")).toBe("us-central1");
  expect(nameOf(undefined)).toBe("");
});
