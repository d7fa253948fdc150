import { OperationError } from "../../ops/errors";
import { FleetWorld } from "./fleet-world";
import { keys, run, steady } from "./harness";

let world: FleetWorld;
beforeEach(async () => {
  world = await FleetWorld.start("jump-1", "jump-2");
  await world.add({ user: "alice", sshKeys: [keys.alice] });
  await world.add({ user: "bob", sshKeys: [keys.bob] }, "jump-2");
});
afterEach(() => world.close());

const cli = (...argv: string[]) => run(argv, world, world.fake.directory);
const statusOf = (user: string) => world.fakes.map(({ incus }) => incus.of(user)?.status).find((status) => status);

test("stop, start and restart, several at once on several servers", async () => {
  const stopped = await cli("stop", "alice", "bob", "--json");
  expect(stopped.code).toBe(0);
  expect(JSON.parse(stopped.stdout).containers).toMatchObject([
    { user: "alice", status: "stopped", server: "jump-1" },
    { user: "bob", status: "stopped", server: "jump-2" },
  ]);
  expect([statusOf("alice"), statusOf("bob")]).toEqual(["Stopped", "Stopped"]);
  const started = await cli("start", "alice", "bob");
  expect(steady(started.stdout)).toBe("alice is running (0.0s).\nbob is running (0.0s).\n");
  const restarted = await cli("restart", "alice", "--json");
  expect(JSON.parse(restarted.stdout).containers).toMatchObject([{ user: "alice", status: "running" }]);
  // What nobody wrote down cannot be wrong: the stack says nothing of whether they run.
  expect(world.recorded).toEqual([]);
});

test("what is so already is fine", async () => {
  expect((await cli("start", "alice")).code).toBe(0);
  await cli("stop", "alice");
  expect((await cli("stop", "alice")).code).toBe(0);
});

test("a stop that takes too long is made by force, and said", async () => {
  world.fake.incus.of("alice")!.config["user.note"] = "never stops by itself";
  const { code, stderr } = await cli("stop", "alice", "--grace", "1");
  expect(code).toBe(0);
  expect(stderr).toMatch(/Stopped alice-container +jump-1, by force/);
  expect(statusOf("alice")).toBe("Stopped");
});

test("a start is done when SSH answers, and a failure when it does not", async () => {
  await world.add({ user: "carol", sshKeys: [keys.host] });
  await cli("stop", "carol");
  world.fake.helper.accounts.delete("carol");
  const { code, stderr } = await cli("start", "carol");
  expect(code).toBe(1);
  expect(stderr).toContain("no SSH banner from");
});

test("one of several fails: the others are done, exit 8; nobody: exit 3", async () => {
  const { code, stdout, stderr } = await cli("stop", "nobody2", "alice");
  expect(code).toBe(8);
  expect(stdout).toMatch(/^alice is stopped/);
  expect(stderr).toContain("error: no container for nobody2 in stack local");
  expect((await cli("stop", "nobody2")).code).toBe(3);
});

test("autostart is changed on the server and in the stack; on is what is so when nothing is said", async () => {
  expect((await cli("autostart", "alice", "bob", "off")).code).toBe(0);
  expect(world.fake.incus.of("alice")!.config["boot.autostart"]).toBe("false");
  expect(world.desired).toMatchObject([{ autostart: false }, { autostart: false }]);
  expect((await cli("autostart", "alice", "on")).code).toBe(0);
  expect(world.fake.incus.of("alice")!.config["boot.autostart"]).toBe("true");
  expect(world.desired[0]!.autostart).toBeUndefined();
});

test("resize changes what is named, and the stack's entry", async () => {
  const argv = ["resize", "alice", "--memory", "8gib", "--cpu", "0.5", "--disk-quota", "50GB", "--json"];
  const { code, stdout } = await cli(...argv);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).containers[0]).toMatchObject({ memory: "8GiB", cpu: 0.5, diskQuota: "50GB" });
  expect(world.desired[0]).toMatchObject({ memory: "8GiB", cpu: 0.5, diskQuota: "50GB", sshKeys: [keys.alice] });
  const { config, devices } = world.fake.incus.of("alice")!;
  expect(config["limits.cpu.allowance"]).toBe("50ms/100ms");
  expect(devices["root"]).toMatchObject({ size: "50GB", pool: "default" });
});

test("resize below what is used is refused: exit 2, nothing changed", async () => {
  const alice = world.fake.incus.of("alice")!;
  alice.diskUsage = 8e9;
  const before = structuredClone({ config: alice.config, devices: alice.devices });
  world.fake.incus.outputs.set("cat /proc/meminfo", "MemTotal:  4194304 kB\nMemAvailable:  1048576 kB\n");
  alice.memoryUsage = 3.5e9;
  const disk = await cli("resize", "alice", "--disk-quota", "5GB", "--memory", "8GiB");
  expect([disk.code, disk.stderr]).toEqual([2, expect.stringContaining("uses 8.0 GB of disk")]);
  const memory = await cli("resize", "alice", "--memory", "2GiB");
  expect([memory.code, memory.stderr]).toEqual([2, expect.stringContaining("hold 3.2 GB of memory, more than 2GiB")]);
  expect({ config: alice.config, devices: alice.devices }).toEqual(before);
  expect(world.recorded).toEqual([]);
  // Caches do not count, and a stopped container holds nothing.
  world.fake.incus.outputs.set("cat /proc/meminfo", "MemTotal:  4194304 kB\nMemAvailable:  4000000 kB\n");
  expect((await cli("resize", "alice", "--memory", "2GiB")).code).toBe(0);
  expect((await cli("resize", "bob", "--disk-quota", "200GB")).code).toBe(2);
});

test("resize --processes: not below what there is; recorded", async () => {
  expect((await cli("resize", "alice", "--processes", "8192")).code).toBe(0);
  expect(world.fake.incus.of("alice")!.config["limits.processes"]).toBe("8192");
  expect(world.desired[0]).toMatchObject({ processes: 8192 });
  for (const wrong of ["99", "1.5", "many", "-1", "9999999"]) {
    expect((await cli("resize", "alice", "--processes", wrong)).code).toBe(2);
  }
  world.fake.incus.of("alice")!.processes = 300;
  const { code, stderr } = await cli("resize", "alice", "--processes", "200");
  expect([code, stderr]).toEqual([2, expect.stringContaining("alice-container has 300 processes, more than 200")]);
  expect(world.fake.incus.of("alice")!.config["limits.processes"]).toBe("8192");
});

test("a recording that failed: what was done stays, and the command that heals it", async () => {
  world.recordError = new OperationError("Pulumi.local.yaml is read-only");
  const { code, stderr } = await cli("resize", "alice", "--memory", "8GiB");
  expect(code).toBe(1);
  expect(stderr).toContain("it is changed, but not in stack local: Pulumi.local.yaml is read-only");
  const [, hint = ""] = /Try: {2}npx containarium-ops (.*)/.exec(stderr) ?? [];
  world.recordError = undefined;
  expect((await cli(...hint.split(" "))).code).toBe(0);
  expect(world.desired[0]!.memory).toBe("8GiB");
});
