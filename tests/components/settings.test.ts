import { type ConfigSource, readSettings, settingsFrom } from "../../components/settings";
import { InvalidInputError } from "../../ops/errors";

const aliceKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE3cjYQ8nzMWFhLQrOdYkLNeXtyoYvVUGJtExvuBOzVS alice@laptop";
const valid = { localSubnet: "10.88.0.0/24" };

function source(values: Record<string, unknown>): ConfigSource {
  return {
    get: (key) => (values[key] === undefined ? undefined : String(values[key])),
    getObject: (key) => values[key],
  };
}

const read = (values: Record<string, unknown>) => readSettings("local", source({ ...valid, ...values }));

test("defaults: one server, four CPUs, 4GiB, 20GB", () => {
  expect(read({})).toEqual({
    stack: "local",
    target: "local",
    servers: [1],
    containers: [],
    adminUser: "admin",
    adminSshKeys: [],
    image: "images:ubuntu/24.04",
    defaults: { cpu: 4, memory: "4GiB", diskQuota: "20GB" },
    dataDiskSizeGb: 100,
    localSubnet: "10.88.0.0/24",
    loadBalancer: false,
    outOfBalancer: [],
    neverBan: [],
  });
});

test("a person's entry is completed from the stack's defaults", () => {
  const { containers } = read({ cpu: "2", containers: [{ user: "alice", sshKeys: [aliceKey], memory: "1GiB" }] });
  expect(containers).toEqual([
    { user: "alice", sshKeys: [aliceKey], server: "jump-1", cpu: 2, memory: "1GiB", diskQuota: "20GB", autostart: true, docker: true }, // prettier-ignore
  ]);
});

const alice = { user: "alice", sshKeys: [aliceKey] };

test.each<[string, Record<string, unknown>, RegExp]>([
  ["an unknown target", { target: "moon" }, /containarium:target.*"moon"/],
  ["no server", { servers: [] }, /containarium:servers/],
  ["a server id of 0", { servers: [0] }, /containarium:servers\.0.*\(it is 0\)/],
  ["a server id twice", { servers: [1, 1] }, /containarium:servers: 1 is there twice/],
  ["a reserved user name", { containers: [{ ...alice, user: "root" }] }, /containarium:containers\.0\.user.*root/],
  ["a user twice", { containers: [alice, alice] }, /containarium:containers: alice is there twice/],
  ["no list of keys", { containers: [{ user: "alice" }] }, /sshKeys/],
  ["a key that is none", { containers: [{ user: "alice", sshKeys: ["banana"] }] }, /sshKeys\.0.*"banana"/],
  ["a misspelt field", { containers: [{ ...alice, memroy: "1GiB" }] }, /memroy/],
  ["memory that is no size", { memory: "banana" }, /containarium:memory.*"banana"/],
  ["a CPU count that is none", { cpu: "many" }, /containarium:cpu/],
  ["a server that the fleet lacks", { containers: [{ ...alice, server: "jump-9" }] }, /alice names the server jump-9/],
  ["no server where there are two", { servers: [1, 2], containers: [alice] }, /alice does not say its server/],
  ["a subnet that is no /24", { localSubnet: "10.0.0.0/8" }, /containarium:localSubnet/],
  ["a balancer that is no yes or no", { loadBalancer: "perhaps" }, /containarium:loadBalancer.*"perhaps"/],
  ["a server out of the balancer that is none", { servers: [1, 2], outOfBalancer: [3] }, /containarium:outOfBalancer: there is no server 3/], // prettier-ignore
  ["a balancer without servers", { loadBalancer: true, outOfBalancer: [1] }, /containarium:outOfBalancer: no server is left/], // prettier-ignore
  ["a tiny data disk", { dataDiskSizeGb: 1 }, /containarium:dataDiskSizeGb.*at least 10/],
  ["the administrator among the people", { adminUser: "alice", containers: [alice] }, /alice is the administrator/],
  ["a server out of the balancer that the fleet lacks", { outOfBalancer: [2] }, /containarium:outOfBalancer.*server 2/],
  ["a name that is never banned", { neverBan: ["office"] }, /containarium:neverBan\.0.*"office"/],
])("refuses %s, naming the key", (_what, values, message) => {
  expect(() => read(values)).toThrow(message);
  expect(() => read(values)).toThrow(InvalidInputError);
});

test("without a subnet the local target says where one comes from", () => {
  expect(() => readSettings("local", source({}))).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining("npm run quickstart") }),
  );
});

const google = {
  target: "gce",
  adminSshKeys: [aliceKey],
  allowedSshSources: ["203.0.113.0/24"],
};
const readGoogle = (values: Record<string, unknown>, project: string | undefined = "my-project") =>
  readSettings("prod", { ...source({ ...google, ...values }), project });

test("a fleet on Google: safe and cheap unless told otherwise", () => {
  expect(readGoogle({}).google).toEqual({
    project: "my-project",
    zone: "us-central1-a",
    machineType: "n2-standard-8",
    spot: true,
    subnet: "10.64.0.0/24",
    allowedSshSources: ["203.0.113.0/24"],
    bootImage: "debian-cloud/debian-13",
    bootDiskSizeGb: 20,
    dataDiskType: "pd-balanced",
    dataDisks: [],
    protectDataDisks: false,
    snapshots: { startTime: "04:00", retentionDays: 30 },
    recoveryPaused: false,
    adminIdentityFile: undefined,
  });
});

test("the whole internet only when somebody says so", () => {
  expect(readGoogle({ allowSshFromAnywhere: true, allowedSshSources: [] }).google?.allowedSshSources).toEqual([
    "0.0.0.0/0",
  ]);
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["no sources", { allowedSshSources: [] }, /containarium:allowedSshSources is empty/],
  ["the whole internet by the way", { allowedSshSources: ["0.0.0.0/0"] }, /allowedSshSources.*whole internet/],
  ["a source with host bits", { allowedSshSources: ["203.0.113.7/24"] }, /allowedSshSources\.0.*"203\.0\.113\.7\/24"/],
  ["no administrator's key", { adminSshKeys: [] }, /containarium:adminSshKeys is empty/],
  ["a region as zone", { zone: "us-central1" }, /containarium:zone.*"us-central1"/],
  ["a machine type that is none", { machineType: "big" }, /containarium:machineType.*"big"/],
  ["a machine type that takes no persistent disk", { machineType: "c4-standard-8" }, /machineType.*hyperdisks/],
  ["a subnet among the containers'", { subnet: "10.0.3.0/24" }, /containarium:subnet.*10\.0\.3\.0\/24/],
  ["an image without a project", { bootImage: "debian-13" }, /containarium:bootImage.*"debian-13"/],
  ["a start time off Google's grid", { snapshotStartTime: "03:00" }, /containarium:snapshotStartTime.*"03:00"/],
  ["snapshots kept for no day", { snapshotRetentionDays: 0 }, /containarium:snapshotRetentionDays.*at least 1/],
  ["a disk of no server", { dataDisks: [{ server: 7 }] }, /containarium:dataDisks: there is no server 7/],
  [
    "a snapshot by its bare name",
    { dataDisks: [{ server: 1, generation: 2, snapshot: "monday" }] },
    /global\/snapshots\/NAME/,
  ],
  ["text where there must be a boolean", { spot: "banana" }, /containarium:spot.*"banana"/],
  ["a tiny boot disk", { bootDiskSizeGb: 10 }, /containarium:bootDiskSizeGb.*at least 15/],
])("Google: refuses %s, naming the key", (_what, values, message) => {
  expect(() => readGoogle(values)).toThrow(message);
  expect(() => readGoogle(values)).toThrow(InvalidInputError);
});

test("Google: without a project it says how to name one", () => {
  expect(() => readSettings("prod", source(google))).toThrow(
    expect.objectContaining({
      message: expect.stringContaining("gcp:project"),
      remedy: expect.stringContaining("config set"),
    }),
  );
});

test("settings from an object are the same; a misspelt key is refused", () => {
  expect(settingsFrom("prod", google, "my-project")).toEqual(readGoogle({}));
  expect(() => settingsFrom("prod", { ...google, machinetype: "e2-medium" }, "my-project")).toThrow(/machinetype is no setting/); // prettier-ignore
});
