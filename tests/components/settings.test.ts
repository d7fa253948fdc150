import { type ConfigSource, readSettings } from "../../components/settings";
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
  ["a tiny data disk", { dataDiskSizeGb: 1 }, /containarium:dataDiskSizeGb.*at least 10/],
])("refuses %s, naming the key", (_what, values, message) => {
  expect(() => read(values)).toThrow(message);
  expect(() => read(values)).toThrow(InvalidInputError);
});

test("without a subnet the local target says where one comes from", () => {
  expect(() => readSettings("local", source({}))).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining("npm run quickstart") }),
  );
});
