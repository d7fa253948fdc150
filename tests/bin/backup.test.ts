import fs from "node:fs";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

import { FleetWorld } from "./fleet-world";
import { keys, run } from "./harness";

let world: FleetWorld;
let folder: string;
const file = (name: string) => path.join(folder, name);
const cli = (...argv: string[]) => run(argv, world, folder);
const at = (index: number, user: string) => world.fakes[index]!.incus.of(user);

beforeEach(async () => {
  world = await FleetWorld.start("jump-1", "jump-2");
  folder = world.fake.directory;
  world.fakes[1]!.incus.network.config["ipv4.address"] = "10.0.4.1/24";
  await world.add({ user: "alice", sshKeys: [keys.alice], memory: "2GiB" });
  const { files } = at(0, "alice")!;
  const text = (content: string, mode = 0o644) => ({ type: "file" as const, content, uid: 0, gid: 42, mode });
  files.set("/home", text("what she wrote"));
  files.set("/etc/passwd", text("root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\n"));
  files.set("/etc/shadow", text("root:*:1::::::\nalice:!:1::::::\n", 0o640));
  files.set("/etc/group", text("docker:x:102:alice\nalice:x:1000:\n"));
  files.set("/home/alice", text(""));
  fs.writeFileSync(file("bob.pub"), keys.bob);
});
afterEach(() => world.close());

test("backup: one whole file that only its owner can read, and nothing stays on the server", async () => {
  const { code, stdout, stderr } = await cli("backup", "alice", "-o", "a.tar.gz", "--json");
  expect(code).toBe(0);
  const { backup } = JSON.parse(stdout);
  expect(backup).toMatchObject({ user: "alice", server: "jump-1", file: file("a.tar.gz") });
  expect(fs.statSync(file("a.tar.gz"))).toMatchObject({ size: backup.bytes });
  expect(fs.statSync(file("a.tar.gz")).mode & 0o777).toBe(0o600);
  expect(stderr).toContain("✓ Backed up alice");
  expect(world.fake.incus.backups).toBe(0);
});

test("backup that fails: no file, nothing on the server; an older file stays as it was", async () => {
  fs.writeFileSync(file("a.tar.gz"), "older");
  expect((await cli("backup", "alice", "-o", "a.tar.gz")).code).toBe(2);
  world.fake.incus.refuseNext("POST /1.0/instances/alice-container/backups");
  expect((await cli("backup", "alice", "-o", "a.tar.gz", "--force")).code).toBe(1);
  expect(fs.readFileSync(file("a.tar.gz"), "utf8")).toBe("older");
  expect(fs.readdirSync(folder).filter((name) => name.includes("partial"))).toEqual([]);
  world.fake.helper.poolBytes = 1.1e9;
  expect((await cli("backup", "alice", "-o", "b.tar.gz")).code).toBe(4);
  expect((await cli("backup", "nobody2", "-o", "b.tar.gz")).code).toBe(3);
});

test("restore of the same person: same keys, limits, address and host key; recorded", async () => {
  const hostKeys = at(0, "alice")!.config["user.containarium.host-keys"];
  await cli("backup", "alice", "-o", "a.tar.gz");
  expect((await cli("restore", "alice", "a.tar.gz")).code).toBe(4);
  await cli("delete", "alice", "--force");
  const { code, stdout } = await cli("restore", "alice", "a.tar.gz", "--server", "jump-1", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout).containers).toMatchObject([
    { user: "alice", status: "running", ip: "10.0.3.10", memory: "2GiB", keys: [{ comment: "alice@laptop" }] },
  ]);
  const { config, files } = at(0, "alice")!;
  expect(files.get("/home")!.content).toBe("what she wrote");
  expect(config["user.containarium.host-keys"]).toBe(hostKeys);
  expect(config["user.containarium.state"]).toBe("ready");
  expect(world.desired).toMatchObject([{ user: "alice", server: "jump-1", sshKeys: [keys.alice], memory: "2GiB" }]);
});

test("restore for another person on another server: their name, keys, address and identity", async () => {
  await cli("backup", "alice", "-o", "a.tar.gz");
  const { code, stderr } = await cli("restore", "ann", "a.tar.gz", "--ssh-key", "bob.pub", "--server", "jump-2");
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { config, devices, files } = at(1, "ann")!;
  expect(devices["eth0"]!["ipv4.address"]).toMatch(/^10\.0\.4\./);
  expect(files.get("/etc/passwd")!.content).toContain("\nann:x:1000:1000::/home/ann:/bin/bash\n");
  expect(files.get("/etc/group")!.content).toBe("docker:x:102:ann\nann:x:1000:\n");
  expect(files.get("/etc/shadow")).toMatchObject({ content: expect.stringContaining("\nann:!"), mode: 0o640, gid: 42 });
  expect(files.get("/home/ann")).toMatchObject({ type: "symlink", content: "/home/alice" });
  expect(files.has("/etc/ssh/authorized_keys.d/alice")).toBe(false);
  expect(files.get("/etc/ssh/authorized_keys.d/ann")!.content).toContain(keys.bob);
  expect(config["user.containarium.host-keys"]).not.toBe(at(0, "alice")!.config["user.containarium.host-keys"]);
  expect(world.fakes[1]!.helper.accounts.get("ann")).toMatchObject({ keys: [keys.bob] });
  expect(world.desired).toMatchObject([{ user: "alice" }, { user: "ann", server: "jump-2", sshKeys: [keys.bob] }]);
});

test("restore beside the original: another address, no MAC address of another's", async () => {
  at(0, "alice")!.config["volatile.eth0.hwaddr"] = "10:66:6a:00:00:01";
  await cli("backup", "alice", "-o", "a.tar.gz");
  expect((await cli("restore", "ann", "a.tar.gz", "--server", "jump-1")).code).toBe(0);
  const ann = at(0, "ann")!;
  expect(ann.devices["eth0"]!["ipv4.address"]).not.toBe("10.0.3.10");
  expect(ann.config).not.toHaveProperty(["volatile.eth0.hwaddr"]);
});

test("restore that fails leaves nothing", async () => {
  await cli("backup", "alice", "-o", "a.tar.gz");
  const failed = await cli("restore", "fail-ssh", "a.tar.gz", "--server", "jump-2");
  expect(failed.code).toBe(1);
  expect(world.fakes[1]!.incus.instances.size + world.fakes[1]!.helper.accounts.size).toBe(0);
  expect(world.desired).toHaveLength(1);
});

test("what a killed restore left half-made goes, and the next one completes", async () => {
  await cli("backup", "alice", "-o", "a.tar.gz");
  const config = {
    "user.containarium.schema": "1",
    "user.containarium.user": "ann",
    "user.containarium.state": "creating",
  };
  world.fakes[1]!.incus.add({ name: "ann-container", config });
  expect((await cli("restore", "ann", "a.tar.gz", "--server", "jump-2")).code).toBe(0);
  expect(at(1, "ann")!.files.get("/home")!.content).toBe("what she wrote");
});

test("restore reads a backup from standard input: -", async () => {
  await cli("backup", "alice", "-o", "a.tar.gz");
  const words = ["restore", "ann", "-", "--ssh-key", "bob.pub", "--server", "jump-2"];
  const { code } = await run(words, world, folder, { stdin: fs.readFileSync(file("a.tar.gz")) });
  expect(code).toBe(0);
  expect(at(1, "ann")!.files.get("/home")!.content).toBe("what she wrote");
});

test.each<[string, (whole: Buffer) => Buffer]>([
  ["an empty file", () => Buffer.alloc(0)],
  ["text", () => Buffer.from("hello".repeat(500))],
  ["another gzip", () => gzipSync("hello".repeat(500))],
  ["a file that was cut", (whole) => whole.subarray(0, 600)],
  [
    "no container of ours",
    (whole) =>
      gzipSync(
        gunzipSync(whole).toString("latin1").replaceAll("user.containarium.schema", "user.somebody-else.schema"),
      ),
  ],
])("%s is refused: exit 2, nothing made", async (_what, change) => {
  await cli("backup", "alice", "-o", "a.tar.gz");
  fs.writeFileSync(file("bad.tar.gz"), change(fs.readFileSync(file("a.tar.gz"))));
  const { code } = await cli("restore", "ann", "bad.tar.gz", "--server", "jump-2");
  expect(code).toBe(2);
  expect(world.fakes[1]!.incus.instances.size).toBe(0);
});

test("delete --backup: first kept, then gone; a backup that fails keeps the person", async () => {
  world.fake.incus.refuseNext("POST /1.0/instances/alice-container/backups");
  expect((await cli("delete", "alice", "--force", "--backup", "kept")).code).toBe(1);
  expect(at(0, "alice")).toBeDefined();
  expect((await cli("delete", "alice", "--force", "--backup", "kept")).code).toBe(0);
  expect(at(0, "alice")).toBeUndefined();
  const [name = ""] = fs.readdirSync(file("kept"));
  expect(name).toMatch(/^alice-\d{4}-\d\d-\d\d-\d{6}\.tar\.gz$/);
  expect((await cli("restore", "alice", `kept/${name}`)).code).toBe(0);
});
