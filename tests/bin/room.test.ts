import { FleetWorld } from "./fleet-world";
import { keys, run } from "./harness";

let world: FleetWorld;
beforeEach(async () => {
  world = await FleetWorld.start();
  await world.add({ user: "bob", sshKeys: [keys.bob], processes: 5000 });
});
afterEach(() => world.close());

const cli = (...argv: string[]) => run(argv, world, world.fake.directory);
const makesNothing = () => {
  const ops = world.fake.helper.requests.map(({ op }) => op);
  expect(ops.filter((op) => op.startsWith("account.put"))).toEqual([]);
  expect(world.recorded).toEqual([]);
  expect(world.fake.incus.of("alice")).toBeUndefined();
};

test.each<[string, () => void, RegExp]>([
  [
    "a kernel limit",
    () => (world.fake.helper.kernel = { "fs.inotify.max_user_instances": 30 }),
    /fs\.inotify\.max_user_instances is 30, and 2 containers need 42\n.*\n +Try: +sudo systemctl restart/,
  ],
  ["a full pool", () => (world.fake.helper.poolUsedBytes = 95e9), /its pool has 5\.0 GB free of 100\.0 GB\n.*dataDisk/],
])("create and restore are refused by %s: exit 4, nothing was changed", async (_what, breaks, message) => {
  expect((await cli("backup", "bob", "-o", "bob.tar.gz")).code).toBe(0);
  world.fake.helper.requests.length = 0;
  breaks();
  const created = await run(["create", "alice", "--ssh-key", "-"], world, world.fake.directory, { stdin: keys.alice });
  expect([created.code, created.stderr]).toEqual([4, expect.stringMatching(message)]);
  const restored = await cli("restore", "alice", "bob.tar.gz");
  expect([restored.code, restored.stderr]).toEqual([4, expect.stringMatching(message)]);
  makesNothing();
});

test("a limit of processes: said, recorded, kept by a backup", async () => {
  const argv = ["create", "alice", "--ssh-key", "-", "--processes", "300", "--json"];
  const created = await run(argv, world, world.fake.directory, { stdin: keys.alice });
  expect(JSON.parse(created.stdout).containers[0]).toMatchObject({ user: "alice", processes: 300 });
  expect(world.fake.incus.of("alice")!.config["limits.processes"]).toBe("300");
  expect(world.desired.find(({ user }) => user === "alice")).toMatchObject({ processes: 300 });
  await cli("backup", "bob", "-o", "bob.tar.gz");
  await cli("delete", "bob", "--force");
  const restored = await cli("restore", "bob", "bob.tar.gz", "--json");
  expect(JSON.parse(restored.stdout).containers[0]).toMatchObject({ user: "bob", processes: 5000 });
  expect(world.desired.find(({ user }) => user === "bob")).toMatchObject({ processes: 5000 });
});
