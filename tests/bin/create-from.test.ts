import fs from "node:fs";
import path from "node:path";

import { FleetWorld } from "./fleet-world";
import { folderOfKeys, keys, run, World } from "./harness";

let folder: string;
let world: World;
beforeEach(() => {
  folder = folderOfKeys();
  world = new World();
  world.servers = ["jump-1", "jump-2"];
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const from = (text: string, ...argv: string[]) => {
  fs.writeFileSync(path.join(folder, "users.csv"), text);
  return run(["create", "--from", "users.csv", ...argv], world, folder);
};

test("makes everybody with what their line says, and the command line for the rest", async () => {
  const table = `user,key,memory,disk_quota,docker,server\nalice,${keys.alice},8GiB,,no,jump-2\nbob,bob.pub,,50gb,,\n`;
  const { code, stderr } = await from(table, "--memory", "2GiB", "--cpu", "1");
  expect(code).toBe(0);
  expect(world.desired).toEqual([
    { user: "alice", sshKeys: [keys.alice], memory: "8GiB", cpu: 1, docker: false, server: "jump-2" },
    { user: "bob", sshKeys: [keys.bob], memory: "2GiB", cpu: 1, diskQuota: "50GB", server: "jump-1" },
  ]);
  // Side by side, every line says whose it is.
  expect(stderr).toMatch(/✓ alice \[7\/7\] SSH answers/);
});

test.each([
  ["Excel's semicolons and byte order mark", `\uFEFFUser;Key\r\nalice;${keys.alice}\r\n`],
  ["tabs", `user\tkey\nalice\t${keys.alice}\n`],
  ["quotes, blank lines, columns in another order", `key,user\n\n"${keys.alice}",alice\n\n`],
  ["two keys in one cell", `user,key\nalice,"${keys.alice}\n${keys.bob}"\n`],
])("%s", async (_what, table) => {
  expect((await from(table)).code).toBe(0);
  expect(world.desired[0]).toMatchObject({ user: "alice", sshKeys: expect.arrayContaining([keys.alice]) });
});

test("a file of keys is seen from the table's folder", async () => {
  fs.mkdirSync(path.join(folder, "class"));
  fs.writeFileSync(path.join(folder, "class/users.csv"), "user,key\nalice,../alice.pub\n");
  expect((await run(["create", "--from", "class/users.csv"], world, folder)).code).toBe(0);
});

test.each([
  ["nobody", "user,key\n", "users.csv names nobody"],
  ["nothing at all", "", "users.csv names nobody"],
  ["no column of keys", "user\nalice\n", "users.csv has no column key"],
  ["an unknown column", "user,key,ram\nalice,alice.pub,1\n", 'users.csv has a column "ram"'],
  ["a bad name", `user,key\nalice,alice.pub\nBob,bob.pub\n`, 'users.csv line 3: "Bob" is not a valid user name'],
  ["no key", "user,key\nalice,\n", "users.csv line 2: alice has no key"],
  ["a private key", "user,key\nalice,id_ed25519\n", "users.csv line 2: id_ed25519 is a private key"],
  ["a bad size", "user,key,memory\nalice,alice.pub,lots\n", 'users.csv line 2: memory "lots" is not a size'],
  ["neither yes nor no", "user,key,docker\nalice,alice.pub,maybe\n", 'users.csv line 2: docker "maybe" is neither'],
  ["a name twice", "user,key\nalice,alice.pub\nalice,bob.pub\n", "alice is named twice"],
  ["one key for two", "user,key\nalice,alice.pub\nbob,alice.pub\n", "alice and bob have the same key"],
  ["a cell too many", "user,key\nalice,alice.pub,x\n", "users.csv is not a table"],
  ["an open quote", 'user,key\nalice,"alice.pub\n', "users.csv is not a table"],
])("%s: exit 2, nothing contacted", async (_what, table, cause) => {
  const { code, stdout, stderr } = await from(table);
  expect(stderr.split("\n")[0]).toContain(`error: ${cause}`);
  expect([code, stdout, world.calls]).toEqual([2, "", []]);
});

test("an unknown server: nothing is made for anybody", async () => {
  const { code } = await from("user,key,server\nalice,alice.pub,\nbob,bob.pub,jump-9\n");
  expect(code).toBe(3);
  expect(world.calls).toEqual(["close"]);
});

test("thirty people over two servers: half on each, several at a time, all recorded at once", async () => {
  const fleet = await FleetWorld.start("jump-1", "jump-2");
  const ssh = (index: number) =>
    `ssh-ed25519 ${keys.alice.split(" ")[1]!.slice(0, -4)}${btoa(String(100 + index)).slice(0, 4)}`;
  const people = Array.from({ length: 30 }, (_, index) => `person${index},${ssh(index)} x`);
  fs.writeFileSync(path.join(folder, "users.csv"), `user,key\n${people.join("\n")}\n`);
  const { code } = await run(["create", "--from", "users.csv"], fleet, folder);
  expect(code).toBe(0);
  expect(fleet.fakes.map(({ incus }) => incus.instances.size)).toEqual([15, 15]);
  expect(fleet.desired).toHaveLength(30);
  const deleted = await run(["delete", ...people.map((line) => line.split(",")[0]!), "--force"], fleet, folder);
  expect(deleted.code).toBe(0);
  expect(fleet.fakes.map(({ incus, helper }) => incus.instances.size + helper.accounts.size)).toEqual([0, 0]);
  await fleet.close();
}, 60_000);
