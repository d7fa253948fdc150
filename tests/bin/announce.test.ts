import fs from "node:fs";

import { containerOf, folderOfKeys, run, World } from "./harness";

/** In a fleet every server lets everybody in: what is changed on one, the others are told at once. */
let folder: string;
let world: World;

beforeAll(() => (folder = folderOfKeys()));
afterAll(() => fs.rmSync(folder, { recursive: true }));
beforeEach(() => {
  world = new World();
  world.servers = ["jump-1", "jump-2", "jump-3"];
});

const cli = (...argv: string[]) => run(argv, world, folder);
const told = () => world.calls.filter((call) => call.startsWith("announce"));

test("after a create, once for all who were made", async () => {
  expect((await cli("create", "alice", "bob", "--ssh-key", "{user}.pub")).code).toBe(0);
  expect(told()).toEqual(["announce jump-1"]);
});

test("after a delete; all servers, when something was changed on several", async () => {
  world.containers = [containerOf("alice"), containerOf("bob", { server: "jump-2" })];
  expect((await cli("delete", "alice", "bob", "--force")).code).toBe(0);
  expect(told()).toEqual(["announce all"]);
});

test("one that is silent is a line, and no failure", async () => {
  world.containers = [containerOf("alice")];
  world.down.add("jump-3");
  const { code, stderr } = await cli("delete", "alice", "--force");
  expect(code).toBe(0);
  expect(stderr.match(/^- .*/gm)).toEqual([
    "- jump-3 was not told (connection timed out after 10s): it asks by itself when it is back",
  ]);
});

test("not where nothing was changed, and not where there is one server only", async () => {
  expect((await cli("create", "unlucky", "--ssh-key", "unlucky.pub")).code).toBe(1);
  world.servers = ["jump-1"];
  expect((await cli("create", "alice", "--ssh-key", "alice.pub")).code).toBe(0);
  expect(told()).toEqual([]);
});

test("who asks all servers knows who lives nowhere; who names one server does not", async () => {
  await cli("create", "alice", "--ssh-key", "alice.pub");
  expect(world.elsewhere).toEqual(["ignore"]);
  await cli("create", "bob", "--ssh-key", "bob.pub", "--local");
  expect(world.elsewhere).toEqual(["ignore", "refuse"]);
});
