import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { exitCodeOf } from "../../bin/output/error";
import { OperationError } from "../../ops/errors";
import type { ErrorKind } from "../../ops/errors";
import type { Services } from "../../bin/services";
import { FleetWorld } from "./fleet-world";
import { containerOf, keys, run, World } from "./harness";

/** docs/json.md is a promise: every example in it has exactly the fields that the commands print. */
const text = fs.readFileSync(path.join(__dirname, "../../docs/json.md"), "utf8");
const sections = text.split(/^## /m).map((section) => ({
  heading: section.split("\n")[0] ?? "",
  examples: [...section.matchAll(/^```json\n(.*?)^```/gms)].map(([, json = ""]) => JSON.parse(json) as object),
}));

/** An example below the heading that names it. */
function documented(name: string, index = 0): object | undefined {
  return sections.find(({ heading }) => heading.includes(name))?.examples[index];
}

/** The fields of a value, types in place of values; of a list the first item. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field)]));
}

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-json-"));
  for (const name of ["alice", "bob"] as const) fs.writeFileSync(path.join(folder, `${name}.pub`), keys[name]);
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

async function json(world: { services: Services }, ...argv: string[]): Promise<unknown> {
  const { stdout } = await run([...argv, "--json"], world, folder);
  // One document, one line: it can be read line by line.
  expect(stdout.match(/\n/g)).toHaveLength(1);
  return JSON.parse(stdout);
}

const create = ["create", "alice", "--ssh-key", "alice.pub"];
const withAlice = () => Object.assign(new World(), { containers: [containerOf("alice")] });
const withoutServer = () => Object.assign(new World(), { down: new Set(["jump-1"]) });
const drilled = () => {
  const world = new World();
  const problems = [{ kind: "lost" as const, message: "x" }];
  world.services.drillPreemption = async ({ name: server }) => ({
    server,
    ended: "restart",
    endedAt: "2026-11-24T10:00:00.000Z",
    steps: [{ title: "x", milliseconds: 1 }],
    people: [{ user: "alice", acknowledged: 1, kept: 1, homeFiles: 1, backMilliseconds: 1, problems }],
    problems,
  });
  return world;
};
const failing = () => {
  const world = new World();
  world.onCreate = () => {
    throw new OperationError("x", { server: "jump-1", leftBehind: "y", remedy: "z" });
  };
  return world;
};

test.each<[string, unknown, () => World, string[]]>([
  ["create", { ...documented("`create`", 1), ...documented("`create`") }, () => new World(), create],
  ["list", documented("`list`"), withAlice, ["list"]],
  ["info", documented("`info`"), withAlice, ["info", "alice"]],
  ["delete", documented("`delete`"), withAlice, ["delete", "alice", "--force"]],
  ["export", documented("`export`"), withAlice, ["export", "alice"]],
  ["export --output", documented("`export`", 1), withAlice, ["export", "alice", "--output", "out"]],
  ["export --install", documented("`export`", 1), withAlice, ["export", "alice", "--install"]],
  ["failures", documented("fails"), withoutServer, ["list"]],
  ["error", documented("fails", 1), failing, create],
])("%s prints what is documented", async (_name, example, world, argv) => {
  expect(shapeOf(await json(world(), ...argv))).toEqual(shapeOf(example));
});

describe("on a server", () => {
  let world: FleetWorld;
  beforeAll(async () => {
    world = await FleetWorld.start();
    await world.add({ user: "alice", sshKeys: [keys.alice] });
    world.fake.helper.bakes = [{ state: "done", steps: ["Trying a copy of it"] }];
  });
  afterAll(() => world.close());

  // In this order, on one server.
  test.each<[string, string[]]>([
    ["`backup`", ["backup", "alice", "-o", "alice.tar.gz"]],
    ["`stop`", ["stop", "alice"]],
    ["`start`", ["start", "alice"]],
    ["`resize`", ["resize", "alice", "--memory", "2GiB"]],
    ["`snapshot create`", ["snapshot", "create", "alice", "--name", "x", "--expires", "3d"]],
    ["`snapshot list`", ["snapshot", "list"]],
    ["`start`", ["snapshot", "restore", "alice", "x", "--force"]],
    ["`snapshot delete`", ["snapshot", "delete", "alice", "x", "--force"]],
    ["`verify-access`", ["verify-access", "alice"]],
    ["`image list`", ["image", "list"]],
    ["`image bake`", ["image", "bake"]],
    ["`keys replace`", ["keys", "replace", "alice", "--ssh-key", "bob.pub"]],
  ])("%s prints what is documented", async (name, argv) => {
    expect(shapeOf(await json(world, ...argv))).toEqual(shapeOf(documented(name)));
  });

  test.each<[string, string[]]>([
    ["`audit`", ["audit"]],
    ["`sessions`", ["sessions"]],
    ["`bans list`", ["bans", "add", "203.0.113.10"]],
    ["`bans list`", ["bans", "list"]],
    ["`bans remove`", ["bans", "remove", "203.0.113.10"]],
    ["`bans history`", ["bans", "history"]],
  ])("%s prints what is documented", async (name, argv) => {
    const time = new Date(Date.now() - 60_000).toISOString();
    const [user, address, key, target] = ["alice", "203.0.113.7", "ED25519 SHA256:x", "10.0.3.10"];
    const { helper } = world.fake;
    helper.events = [{ event: "login", time, user, address, port: 5, key, target, endedAt: time, more: 1 }];
    helper.sessions = [{ user, since: time, address, port: 5, key, target, openTo: [target] }];
    helper.banEvents = [{ time, event: "banned", address, by: "administrator", until: time }];
    expect(shapeOf(await json(world, ...argv))).toEqual(shapeOf(documented(name)));
  });

  test("`status` prints what is documented", async () => {
    const { helper } = world.fake;
    Object.assign(helper, { events: [], sessions: [], bans: [], fail2banRuns: false });
    const quiet = shapeOf(await json(world, "status")) as { servers: unknown };
    const example = shapeOf(documented("`status`")) as { servers: unknown };
    expect(quiet.servers).toEqual(example.servers);
    expect(Object.keys(quiet)).toEqual(Object.keys(example));
  });

  test("doctor prints what is documented", async () => {
    const remedy = "Start it again:\n  sudo systemctl restart fail2ban.service";
    world.fake.helper.checks = [{ name: "fail2ban", state: "failed", detail: "x", remedy, depends: [] }];
    const { checks, ...rest } = (await json(world, "doctor")) as { checks: object[] };
    expect(shapeOf({ ...rest, checks: checks.slice(1) })).toEqual(shapeOf(documented("`doctor`")));
  });

  test("the other commands about keys print the same fields", async () => {
    const fields = Object.keys(documented("`keys list`") as object);
    expect(Object.keys((await json(world, "keys", "list", "alice")) as object)).toEqual(fields);
    expect(Object.keys((await json(world, "keys", "add", "alice", "--ssh-key", "bob.pub")) as object)).toEqual(fields);
  });
});

test("sync, image outdated and completion print what is documented", async () => {
  const world = await FleetWorld.start("jump-1", "jump-2");
  for (const user of ["alice", "bob", "dave", "erin"]) await world.add({ user, sshKeys: [keys.alice] });
  const { instances } = world.fake.incus;
  const set = (user: string, key: string, value: string) => (instances.get(`${user}-container`)!.config[key] = value);
  set("alice", "limits.memory", "2GiB");
  set("alice", "volatile.base_image", "f".repeat(64));
  set("dave", "user.containarium.state", "creating");
  world.fakes[1]!.incus.instances.set("erin-container", instances.get("erin-container")!);
  world.desired = world.desired.filter(({ user }) => user !== "bob");
  world.desired.push({ user: "carol", sshKeys: [keys.bob], server: "jump-2" });
  world.fake.incus.images[0]!.properties = { "containarium.baked-at": "2020-01-01T00:00:00Z" };
  expect(shapeOf(await json(world, "image", "outdated"))).toEqual(shapeOf(documented("`image outdated`")));
  expect(shapeOf(await json(world, "sync"))).toEqual(shapeOf(documented("`sync`")));
  expect(shapeOf(await json(world, "completion", "bash"))).toEqual(shapeOf(documented("`completion`")));
  await world.close();
});

test("drill preempt prints what is documented", async () => {
  const printed = (await json(drilled(), "drill", "preempt", "--yes")) as object;
  expect(shapeOf({ ...printed, failures: [] })).toEqual(shapeOf(documented("`drill preempt`")));
});

test("the exit codes are those of the table", () => {
  const rows = [...text.matchAll(/^\| `([a-z-]+)` +\| (\d+)/gm)];
  expect(rows).toHaveLength(9);
  for (const [, kind, code] of rows) expect(exitCodeOf(kind as ErrorKind)).toBe(Number(code));
});
