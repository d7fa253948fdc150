import { writeFileSync } from "node:fs";
import path from "node:path";

import { OperationError } from "../../ops/errors";
import { FleetWorld } from "./fleet-world";
import { keys, run, steady } from "./harness";

let world: FleetWorld;
beforeEach(async () => {
  world = await FleetWorld.start();
  await world.add({ user: "alice", sshKeys: [keys.alice] });
  for (const name of ["alice", "bob"] as const)
    writeFileSync(path.join(world.fake.directory, `${name}.pub`), `${keys[name]}\n`);
});
afterEach(() => world.close());

const cli = (...argv: string[]) => run(argv, world, world.fake.directory);
const comments = (json: { comment: string }[]) => json.map(({ comment }) => comment);
const sessionsCut = () => world.fake.helper.requests.filter(({ op }) => op === "account.endSessions").length;

test("list shows type, fingerprint and comment", async () => {
  const { code, stdout } = await cli("keys", "list", "alice");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^TYPE +FINGERPRINT +COMMENT\nssh-ed25519 +SHA256:\S{43} +alice@laptop\n$/);
});

test("options may stand before the command's words", async () => {
  for (const option of [["--verbose"], ["--json"], ["--stack", "local"]])
    expect((await cli(...option, "keys", "list", "alice")).code).toBe(0);
});

test("add: at both hops, recorded, and said", async () => {
  const { code, stdout, stderr } = await cli("keys", "add", "alice", "--ssh-key", "bob.pub", "--json");
  expect(code).toBe(0);
  const json = JSON.parse(stdout);
  expect([comments(json.keys), comments(json.added), json.removed]).toEqual([
    ["alice@laptop", "bob@laptop"],
    ["bob@laptop"],
    [],
  ]);
  expect(world.fake.helper.accounts.get("alice")!.keys).toEqual([keys.alice, keys.bob]);
  expect(world.desired[0]?.sshKeys).toEqual([keys.alice, keys.bob]);
  expect(steady(stderr)).toMatch(/✓ Keys of alice: added 1 .*\n✓ Recorded in stack local/);
  expect(sessionsCut()).toBe(0);
});

test("remove: by file; the other one stays, sessions are cut", async () => {
  await cli("keys", "add", "alice", "--ssh-key", "bob.pub");
  const { code, stdout, stderr } = await cli("keys", "remove", "alice", "--key", "alice.pub");
  expect(code).toBe(0);
  expect(stdout).not.toContain("alice@laptop");
  expect(stderr).toContain("- Live sessions of alice were cut");
  expect(world.desired[0]?.sshKeys).toEqual([keys.bob]);
  expect(sessionsCut()).toBe(1);
});

test("remove the last one: refused with a command that does it, exit 2, nothing changed", async () => {
  const { code, stderr } = await cli("keys", "remove", "alice", "--key", "alice@laptop");
  expect(code).toBe(2);
  expect(stderr).toContain("this is the last key of alice, who could not log in any more");
  const [, hint = ""] = /Try: {2}npx containarium-ops (.*)/.exec(stderr) ?? [];
  expect(world.desired[0]?.sshKeys).toEqual([keys.alice]);
  expect((await cli(...hint.split(" "))).code).toBe(0);
  expect(world.desired[0]?.sshKeys).toEqual([]);
  expect((await cli("keys", "list", "alice")).stderr).toContain("alice has no key and cannot log in");
});

test("replace all, then one that nobody has: exit 3", async () => {
  const replaced = await cli("keys", "replace", "alice", "--ssh-key", "bob.pub");
  expect(replaced.code).toBe(0);
  expect(world.desired[0]?.sshKeys).toEqual([keys.bob]);
  const unknown = await cli("keys", "replace", "alice", "--ssh-key", "alice.pub", "--key", "nobody@nowhere");
  expect(unknown.code).toBe(3);
  expect(unknown.stderr).toContain('error: alice has no key "nobody@nowhere"');
});

test("a recording that failed: exit 1, the key is gone all the same, and again brings the stack in line", async () => {
  await cli("keys", "add", "alice", "--ssh-key", "bob.pub");
  world.recordError = new OperationError("Pulumi.local.yaml is read-only");
  const failed = await cli("keys", "remove", "alice", "--key", "alice@laptop");
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain("the keys of alice are changed, but not in stack local: Pulumi.local.yaml is");
  expect(failed.stderr).toContain("Try:  npx containarium-ops keys remove alice --key KEY\n");
  expect(world.fake.helper.accounts.get("alice")!.keys).toEqual([keys.bob]);
  world.recordError = undefined;
  expect((await cli("keys", "remove", "alice", "--key", "alice@laptop")).code).toBe(0);
  expect(world.desired[0]?.sshKeys).toEqual([keys.bob]);
});

test("another administrator's key that was recorded meanwhile stays", async () => {
  world.desired[0]!.sshKeys.push(keys.host);
  await cli("keys", "add", "alice", "--ssh-key", "bob.pub");
  expect(world.desired[0]?.sshKeys).toEqual([keys.alice, keys.host, keys.bob]);
});

test("somebody whom the stack does not name: changed, and said", async () => {
  world.desired = [];
  const { code, stderr } = await cli("keys", "add", "alice", "--ssh-key", "bob.pub");
  expect(code).toBe(0);
  expect(stderr).toContain("- stack local does not name alice: nothing to record");
  expect(world.recorded).toEqual([]);
});
