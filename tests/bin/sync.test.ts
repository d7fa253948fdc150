import { FleetWorld } from "./fleet-world";
import { keys, run } from "./harness";

let world: FleetWorld;
beforeEach(async () => {
  world = await FleetWorld.start("jump-1", "jump-2");
  await world.add({ user: "alice", sshKeys: [keys.alice] });
  await world.add({ user: "bob", sshKeys: [keys.bob], memory: "2GiB", docker: false }, "jump-2");
});
afterEach(() => world.close());

const cli = (...argv: string[]) => run(argv, world, world.fake.directory);
const json = async (...argv: string[]) => JSON.parse((await cli(...argv, "--json")).stdout);
const forget = (user: string) => (world.desired = world.desired.filter((entry) => entry.user !== user));
const nothing = { schema: 1, unlisted: [], missing: [], unknown: [], different: [], halfMade: [], twice: [], failures: [] }; // prettier-ignore

test("nothing differs: says so, records nothing", async () => {
  expect(await json("sync")).toEqual(nothing);
  expect((await cli("sync")).stdout).toContain("agree");
  expect(world.recorded).toEqual([]);
});

test("somebody whom the config does not name is recorded, as the server has them, and is then no news", async () => {
  forget("bob");
  expect(await json("sync")).toEqual({ ...nothing, unlisted: [{ user: "bob", server: "jump-2", recorded: true }] });
  expect(world.recorded).toEqual(["bob"]);
  expect(world.desired.find(({ user }) => user === "bob")).toEqual({
    user: "bob",
    sshKeys: [keys.bob],
    server: "jump-2",
    cpu: 4,
    memory: "2GiB",
    diskQuota: "20GB",
    docker: false,
  });
  expect(await json("sync")).toEqual(nothing);
});

test("--dry-run records nobody", async () => {
  forget("bob");
  expect(await json("sync", "--dry-run")).toEqual({
    ...nothing,
    unlisted: [{ user: "bob", server: "jump-2", recorded: false }],
  });
  expect((await cli("sync", "--dry-run")).stdout).toContain("npx containarium-ops sync");
  expect(world.recorded).toEqual([]);
});

test("a server that does not answer: its people are not known, the others are recorded, exit 8", async () => {
  forget("alice");
  await world.fakes[1]!.stop();
  const { code, stdout } = await cli("sync", "--json");
  expect(code).toBe(8);
  expect(JSON.parse(stdout)).toMatchObject({
    unlisted: [{ user: "alice", server: "jump-1", recorded: true }],
    missing: [],
    unknown: [{ user: "bob", server: "jump-2" }],
    failures: [{ subject: "jump-2" }],
  });
  expect(world.recorded).toEqual(["alice"]);
  expect((await cli("sync")).stdout).toMatch(/NOT KNOWN[^]*bob/);
  forget("bob");
  expect((await cli("sync")).stdout).toContain("the servers that answer agree");
});

test("exit 0 when all agree in the end; 4 when something is left that differs", async () => {
  expect((await cli("sync")).code).toBe(0);
  forget("bob");
  expect((await cli("sync", "--dry-run")).code).toBe(4);
  expect((await cli("sync")).code).toBe(0);
  world.fake.incus.instances.get("alice-container")!.config["limits.memory"] = "1GiB";
  expect((await cli("sync")).code).toBe(4);
});

test("a limit of processes is recorded as the server has it", async () => {
  forget("bob");
  world.fakes[1]!.incus.instances.get("bob-container")!.config["limits.processes"] = "900";
  expect(await json("sync")).toMatchObject({ unlisted: [{ user: "bob", recorded: true }] });
  expect(world.desired.find(({ user }) => user === "bob")).toMatchObject({ processes: 900 });
  expect(await json("sync")).toEqual(nothing);
});

test("in the config and on no server: reported with the command that makes them; nobody is deleted", async () => {
  world.desired.push({ user: "carol", sshKeys: [keys.alice], server: "jump-2" });
  expect(await json("sync")).toEqual({ ...nothing, missing: [{ user: "carol", server: "jump-2" }] });
  expect((await cli("sync")).stdout).toContain("npm run pulumi -- up --stack local --refresh");
  expect(world.desired.map(({ user }) => user)).toEqual(["alice", "bob", "carol"]);
});

test("what differs, field by field", async () => {
  const instance = world.fake.incus.instances.get("alice-container")!;
  instance.config["limits.memory"] = "1GiB";
  instance.config["limits.cpu.allowance"] = "200ms/100ms";
  instance.config["boot.autostart"] = "false";
  instance.config["user.containarium.docker"] = "false";
  instance.config["user.containarium.keys"] = JSON.stringify([keys.bob]);
  instance.devices["root"]!["size"] = "30GB";
  world.desired = world.desired.map((entry) =>
    entry.user === "alice" ? { ...entry, image: "ubuntu/24.04", server: "jump-2" } : entry,
  );
  const { different } = await json("sync");
  expect(
    Object.fromEntries(different.map(({ field, config, actual }: Record<string, string>) => [field, [config, actual]])),
  ).toEqual({
    // prettier-ignore
    sshKeys: [expect.stringMatching(/^SHA256:/), expect.stringMatching(/^SHA256:/)],
    server: ["jump-2", "jump-1"],
    image: ["ubuntu/24.04", "debian/13"],
    cpu: ["4", "2"],
    memory: ["4GiB", "1GiB"],
    diskQuota: ["20GB", "30GB"],
    autostart: ["true", "false"],
    docker: ["true", "false"],
  });
  expect(world.recorded).toEqual([]);
});

test("the same size in other words, and a key's other comment, are no difference", async () => {
  world.fake.incus.instances.get("alice-container")!.config["limits.memory"] = "4096MiB";
  world.desired[0]!.sshKeys = [keys.alice.replace("alice@laptop", "home")];
  expect((await json("sync")).different).toEqual([]);
});

test("a half-made one is reported, not recorded", async () => {
  forget("alice");
  world.fake.incus.instances.get("alice-container")!.config["user.containarium.state"] = "creating";
  expect(await json("sync")).toEqual({ ...nothing, halfMade: [{ user: "alice", server: "jump-1" }] });
  expect(world.recorded).toEqual([]);
});

test("somebody with two homes is reported, not recorded", async () => {
  forget("alice");
  const { instances } = world.fakes[1]!.incus;
  instances.set("alice-container", { ...world.fake.incus.instances.get("alice-container")!, name: "alice-container" });
  expect(await json("sync")).toEqual({ ...nothing, twice: [{ user: "alice", servers: ["jump-1", "jump-2"] }] });
  expect(world.recorded).toEqual([]);
});

test.each([
  ["a name that is none", "user.containarium.user", "zz;id"],
  ["a name that steers a terminal", "user.containarium.user", "\u001b[2Jroot"],
  ["keys that are none", "user.containarium.keys", '["command=\\"id\\" ssh-ed25519 AAAA"]'],
])("%s is not written into the config", async (_what, key, value) => {
  forget("alice");
  world.fake.incus.instances.get("alice-container")!.config[key] = value;
  const { code, stdout, stderr } = await cli("sync");
  expect(code).toBe(8);
  expect(world.recorded).toEqual([]);
  expect(stdout + stderr).not.toContain("\u001b");
});

test("a recording that fails: who is not recorded, how to heal it, exit 8", async () => {
  forget("bob");
  world.recordError = new Error("the engine is on holiday");
  const { code, stdout, stderr } = await cli("sync", "--json");
  expect(code).toBe(8);
  expect(JSON.parse(stdout).unlisted).toEqual([{ user: "bob", server: "jump-2", recorded: false }]);
  expect(stderr).toContain("npx containarium-ops sync");
});

test("without a stack there is nothing to compare with", async () => {
  expect((await cli("sync", "--local")).code).toBe(2);
});
