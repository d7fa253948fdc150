import fs from "node:fs";

import { OperationError } from "../../ops/errors";
import { containerOf, folderOfKeys, keys, lockedStack, run, steady, World } from "./harness";

let folder: string;
let world: World;

beforeAll(() => (folder = folderOfKeys()));
afterAll(() => fs.rmSync(folder, { recursive: true }));
beforeEach(() => (world = new World()));

const create = (...argv: string[]) => run(["create", ...argv], world, folder);

test("shows the steps on stderr and the ready line, last, on stdout", async () => {
  const { code, stdout, stderr } = await create("alice", "--ssh-key", "alice.pub");
  expect(code).toBe(0);
  expect(steady(stderr)).toMatchInlineSnapshot(`
   "✓ Checked names and keys               ed25519 SHA256:ezYCHi1L...  0.0s
   ✓ [1/7] Checked                        detail 1  0.0s
   ✓ [2/7] Created                        detail 2  0.0s
   ✓ [3/7] Started                        detail 3  0.0s
   ✓ [4/7] Let in                         detail 4  0.0s
   ✓ [5/7] Set up                         detail 5  0.0s
   ✓ [6/7] Waited                         detail 6  0.0s
   ✓ [7/7] SSH answers                    detail 7  0.0s
   ✓ Recorded in stack local  0.0s
   "
  `);
  expect(steady(stdout)).toMatchInlineSnapshot(`
   "alice is ready (0.0s).  Send them the file from:  npx containarium-ops export alice
   "
  `);
});

test("makes it, then records it with its server, then closes the connection", async () => {
  await create("alice", "--ssh-key", "alice.pub", "--memory", "8gib", "--no-docker");
  expect(world.calls).toEqual(["find alice", "create alice on jump-1 (fail)", "record alice on jump-1", "close"]);
  // Only what was said: the stack's defaults stay the stack's.
  expect(world.desired).toEqual([
    {
      user: "alice",
      sshKeys: [keys.alice],
      memory: "8GiB",
      docker: false,
      server: "jump-1",
    },
  ]);
  expect(world.containers[0]).toMatchObject({
    memory: "8GiB",
    cpu: 4,
    docker: false,
  });
});

test("--json has the container where jq looks for it", async () => {
  const { code, stdout } = await create("alice", "--ssh-key", "alice.pub", "--json");
  expect(code).toBe(0);
  const names = ["find", "instance", "image", "user", "keys", "start", "account", "ssh"];
  expect(JSON.parse(stdout)).toEqual({
    schema: 1,
    containers: [containerOf("alice")],
    timings: [
      {
        user: "alice",
        milliseconds: expect.any(Number),
        steps: names.map((name) => ({ name, milliseconds: expect.any(Number) })),
      },
    ],
    recording: { milliseconds: expect.any(Number), engineWaitedMilliseconds: 7 },
    failures: [],
  });
});

test("reads a key from standard input", async () => {
  const { code } = await run(["create", "alice", "--ssh-key", "-"], world, folder, { stdin: `${keys.alice}\n` });
  expect(code).toBe(0);
  expect(world.desired[0]?.sshKeys).toEqual([keys.alice]);
});

test("several keys for one user", async () => {
  const { code } = await create("alice", "--ssh-key", "alice.pub", "--ssh-key", "bob.pub", "--ssh-key", "alice.pub");
  expect(code).toBe(0);
  expect(world.desired[0]?.sshKeys).toEqual([keys.alice, keys.bob]);
});

test("several users, each with a key of their own", async () => {
  const { code, stdout } = await create("alice", "bob", "--ssh-key", "{user}.pub", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout).containers.map(({ user }: { user: string }) => user)).toEqual(["alice", "bob"]);
});

test("one of several fails: the others are made and recorded, exit 8", async () => {
  const { code, stdout, stderr } = await create("unlucky", "alice", "--ssh-key", "{user}.pub", "--json");
  expect(code).toBe(8);
  expect(JSON.parse(stdout)).toMatchObject({
    containers: [{ user: "alice" }],
    failures: [
      {
        subject: "unlucky",
        kind: "failed",
        message: "the pool is full",
        remedy: "Raise dataDiskSizeGb.",
      },
    ],
  });
  expect(stderr).toContain("error: unlucky: the pool is full");
  expect(world.desired.map(({ user }) => user)).toEqual(["alice"]);
});

test("a failed create is not recorded", async () => {
  const { code, stderr } = await create("unlucky", "--ssh-key", "alice.pub");
  expect(code).toBe(1);
  expect(stderr).toContain("error: jump-1: the pool is full\n  Raise dataDiskSizeGb.\n");
  expect(world.desired).toEqual([]);
  // The engine had been started meanwhile.
  expect(world.calls).toContain("abandon unlucky");
});

test("exists and is recorded: conflict, nothing touched", async () => {
  world.containers = [containerOf("alice")];
  world.desired = [{ user: "alice", sshKeys: [keys.alice] }];
  const { code, stderr } = await create("alice", "--ssh-key", "alice.pub");
  expect(code).toBe(4);
  expect(stderr).toContain("error: alice already has a container, alice-container on jump-1");
  expect(world.calls).toEqual(["find alice", "close"]);
});

test("exists with the same key and is not recorded: taken over with the limits that it has", async () => {
  world.containers = [containerOf("alice", { memory: "8GiB", autostart: false })];
  const { code } = await create("alice", "--ssh-key", "alice.pub", "--cpu", "2");
  expect(code).toBe(0);
  expect(world.calls).toContain("create alice on jump-1 (adopt)");
  expect(world.containers[0]).toMatchObject({
    memory: "8GiB",
    autostart: false,
    cpu: 2,
  });
  expect(world.desired[0]).toMatchObject({
    memory: "8GiB",
    autostart: false,
    cpu: 2,
  });
});

test("exists with another key: conflict, never taken over", async () => {
  world.containers = [containerOf("alice")];
  const { code, stderr } = await create("alice", "--ssh-key", "bob.pub");
  expect(code).toBe(4);
  expect(stderr).toContain("its keys are not the ones given");
});

test("half-made: completed", async () => {
  world.containers = [containerOf("alice", { status: "half-made" })];
  expect((await create("alice", "--ssh-key", "alice.pub")).code).toBe(0);
  expect(world.calls).toContain("record alice on jump-1");
});

test("recorded but gone: made again", async () => {
  world.desired = [{ user: "alice", sshKeys: [keys.alice] }];
  expect((await create("alice", "--ssh-key", "alice.pub")).code).toBe(0);
});

test("a locked stack: conflict before anything is made", async () => {
  world.locked = lockedStack;
  const { code, stderr } = await create("alice", "--ssh-key", "alice.pub");
  expect(code).toBe(4);
  expect(stderr).toContain("Try:  npm run pulumi -- cancel --stack local");
  expect(world.calls).toEqual(["close"]);
});

test("a recording that fails keeps the container and says what heals it", async () => {
  world.recordError = new OperationError("pulumi: the disk is full");
  world.recordsBeforeError = true;
  const { code, stdout, stderr } = await create("alice", "--ssh-key", "alice.pub");
  expect(code).toBe(1);
  expect(world.containers).toHaveLength(1);
  expect(stdout).toContain("alice is ready");
  expect(stderr).toContain(
    [
      "error: alice: the container is ready but not recorded in stack local: pulumi: the disk is full",
      "  Left behind: alice-container on jump-1; it works and stays",
      "  To bring the stack up to date:",
      "  Try:  npm run pulumi -- up --stack local",
    ].join("\n"),
  );
});

test("a config that could not be edited: the same create again, which takes over what is there", async () => {
  world.recordError = new OperationError("Pulumi.local.yaml is read-only");
  const { stderr } = await create("alice", "--ssh-key", "alice.pub");
  expect(stderr).toContain("Try:  npx containarium-ops create alice --ssh-key FILE\n");
  world.recordError = undefined;
  expect((await create("alice", "--ssh-key", "alice.pub")).code).toBe(0);
  expect(world.desired).toHaveLength(1);
});

test("Ctrl-C while recording: exit 130, the container stays", async () => {
  const stop = new AbortController();
  world.recordError = new OperationError("pulumi: cancelled");
  world.recordsBeforeError = true;
  world.onRecord = () => stop.abort();
  const argv = ["create", "alice", "--ssh-key", "alice.pub"];
  const { code, stderr } = await run(argv, world, folder, { signal: stop.signal });
  expect(code).toBe(130);
  expect(stderr).toContain("the container is ready but not recorded in stack local: interrupted");
  expect(stderr).toContain("Try:  npm run pulumi -- up --stack local");
});

test("--server: an unknown one is refused, a known one is used", async () => {
  world.servers = ["jump-1", "jump-2"];
  const unknown = await create("alice", "--ssh-key", "alice.pub", "--server", "jump-9");
  expect(unknown.code).toBe(3);
  expect(unknown.stderr).toContain("error: no server jump-9 in stack local\n  There is: jump-1, jump-2\n");
  expect(world.calls).toEqual(["close"]);
  expect((await create("alice", "--ssh-key", "alice.pub", "--server", "jump-2")).code).toBe(0);
  expect(world.calls).toContain("create alice on jump-2 (fail)");
});

test("without a stack nothing is recorded, and the next command names the same server", async () => {
  const { code, stdout, stderr } = await create("alice", "--ssh-key", "alice.pub", "--local");
  expect(code).toBe(0);
  expect(stderr).toContain("Not recorded in any stack");
  expect(stdout).toContain("npx containarium-ops export alice --jump-ip ADDRESS --local");
  expect(world.calls.some((call) => call.startsWith("record"))).toBe(false);
});

test("Ctrl-C: exit 130, and the command that completes it", async () => {
  const stop = new AbortController();
  world.onCreate = () => stop.abort();
  const { code, stderr } = await run(["create", "alice", "--ssh-key", "alice.pub"], world, folder, {
    signal: stop.signal,
  });
  expect(code).toBe(130);
  expect(stderr).toContain("error: interrupted\n");
  expect(stderr).toContain("Try:  npx containarium-ops create alice --ssh-key alice.pub");
});

test("no colour and no escape sequence off a terminal, nor with NO_COLOR", async () => {
  expect((await create("alice", "--ssh-key", "alice.pub")).stderr).not.toContain("\u001b");
  const options = { typed: "", env: { NO_COLOR: "1" } };
  const atTerminal = await run(["create", "bob", "--ssh-key", "bob.pub"], world, folder, options);
  expect(atTerminal.stderr).not.toContain("\u001b[3");
  const colourful = await run(["create", "carol", "--ssh-key", "bob.pub"], world, folder, { typed: "" });
  expect(colourful.stderr).toContain("\u001b[32m✓");
});
