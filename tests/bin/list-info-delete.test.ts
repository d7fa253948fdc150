import { duration } from "../../bin/commands/info";
import { OperationError } from "../../ops/errors";
import { containerOf, keys, lockedStack, run, steady, World } from "./harness";

let world: World;

beforeEach(() => (world = new World()));

const cli = (...argv: string[]) => run(argv, world, "/project");
const fingerprint = containerOf("alice").keys[0]?.fingerprint;

describe("list", () => {
  test("is a table like the original's, sorted by user", async () => {
    world.containers = [
      containerOf("bob", {
        status: "stopped",
        ip: "",
        diskQuota: "50GB",
        autostart: false,
        cpu: 0.5,
      }),
      containerOf("alice"),
    ];
    const { code, stdout, stderr } = await cli("list");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(
      [
        "NAME              USER    STATUS    SERVER   IP          CPU   MEMORY   DISK   AUTOSTART",
        "alice-container   alice   running   jump-1   10.0.3.10   4     4GiB     20GB   yes",
        "bob-container     bob     stopped   jump-1   -           0.5   4GiB     50GB   no",
        "",
      ].join("\n"),
    );
  });

  test("--json", async () => {
    world.containers = [containerOf("alice")];
    const { stdout } = await cli("list", "--json");
    expect(JSON.parse(stdout)).toEqual({
      schema: 1,
      containers: [containerOf("alice")],
      failures: [],
    });
  });

  test("nobody yet: says how to begin, and prints no data", async () => {
    const { code, stdout, stderr } = await cli("list");
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("npx containarium-ops create alice --ssh-key alice.pub");
  });

  test("a server that does not answer: the others are shown, exit 8", async () => {
    world.servers = ["jump-1", "jump-2"];
    world.down.add("jump-2");
    world.containers = [containerOf("alice")];
    const { code, stdout, stderr } = await cli("list");
    expect(code).toBe(8);
    expect(stdout).toContain("alice-container");
    expect(stderr).toBe("error: jump-2: connection timed out after 10s\n");
    const json = JSON.parse((await cli("list", "--json")).stdout);
    expect(json.failures).toEqual([
      {
        subject: "jump-2",
        kind: "unreachable",
        message: "connection timed out after 10s",
        server: "jump-2",
      },
    ]);
  });

  test("no server answers: the code of the cause", async () => {
    world.down.add("jump-1");
    expect((await cli("list")).code).toBe(6);
  });

  test("an unknown stack", async () => {
    expect(await cli("list", "--stack", "nope")).toEqual({
      code: 3,
      stdout: "",
      stderr: "error: no stack named nope\n",
    });
  });
});

describe("info", () => {
  test("shows everything, aligned", async () => {
    world.containers = [containerOf("alice")];
    const { code, stdout } = await cli("info", "alice");
    expect(code).toBe(0);
    const steadyText = stdout.replace(String(fingerprint), "SHA256:...").replace(/(Up for: +).*/, "$1...");
    expect(steadyText).toMatchInlineSnapshot(`
     "Container:   alice-container
     Status:      running
     User:        alice
     Server:      jump-1
     IP address:  10.0.3.10
     Image:       debian/13
     CPU:         4 cores, 12.5 s used
     Memory:      345.7 MB of 4GiB
     Disk:        1.2 GB of 20GB
     Processes:   21 of 4096
     Up for:      ...
     Last login:  2026-11-24T11:00:00.000Z
     Auto-start:  enabled
     Docker:      enabled
     Snapshots:   by hand
     Created:     2026-11-20T10:00:00.000Z
     Key:         ssh-ed25519 SHA256:... alice@laptop
     Snapshot:    before-exam, 2026-11-24T12:00:00.000Z
     SSH:         ssh alice-dev
     "
    `);
  });

  test.each([
    [30_000, "less than a minute"],
    [12 * 60_000, "12 min"],
    [26 * 3_600_000 + 60_000, "1 d 2 h"],
    [24 * 3_600_000 + 60_000, "1 d"],
  ])("%d ms are %s", (milliseconds, text) => expect(duration(milliseconds)).toBe(text));

  test("nobody of that name: exit 3", async () => {
    const { code, stderr } = await cli("info", "carol", "--stack", "prod");
    expect(code).toBe(3);
    expect(stderr).toBe(
      "error: no container for carol in stack prod\n  Try:  npx containarium-ops list --stack prod\n",
    );
  });
});

describe("delete", () => {
  beforeEach(() => {
    world.containers = [containerOf("alice"), containerOf("bob")];
    world.desired = ["alice", "bob"].map((user) => ({
      user,
      sshKeys: [keys.alice],
      server: "jump-1",
    }));
  });

  test("deletes, then takes it from the stack", async () => {
    const { code, stdout, stderr } = await cli("delete", "bob", "--force");
    expect(code).toBe(0);
    expect(world.calls).toEqual(["find bob", "delete bob on jump-1", "forget bob", "close"]);
    expect(world.containers.map(({ user }) => user)).toEqual(["alice"]);
    expect(steady(stderr)).toMatchInlineSnapshot(`
     "✓ Deleted bob-container                jump-1  0.0s
     ✓ Removed from stack local  0.0s
     "
    `);
    expect(steady(stdout)).toBe("bob is deleted (0.0s).\n");
  });

  test("--json", async () => {
    const { stdout } = await cli("delete", "alice", "bob", "--force", "--json");
    expect(JSON.parse(stdout)).toEqual({
      schema: 1,
      deleted: [
        { user: "alice", server: "jump-1" },
        { user: "bob", server: "jump-1" },
      ],
      failures: [],
    });
  });

  test("at a terminal it asks for the name, and takes nothing else", async () => {
    const wrong = await run(["delete", "bob"], world, "/project", {
      typed: "y\n",
    });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("bob was not deleted: the name was not typed");
    expect(world.containers).toHaveLength(2);
    const right = await run(["delete", "bob"], world, "/project", {
      typed: "bob\n",
    });
    expect(right.code).toBe(0);
    expect(right.stderr).toContain("Delete the container of bob on jump-1 and everything in it?");
    expect(world.containers).toHaveLength(1);
  });

  test("nobody of that name: exit 3; on an only server a lost jump account is looked for", async () => {
    expect((await cli("delete", "carol", "--force")).code).toBe(3);
    expect(world.calls).toEqual(["find carol", "delete carol on jump-1", "close"]);
    world.calls = [];
    world.servers = ["jump-1", "jump-2"];
    expect((await cli("delete", "carol", "--force")).code).toBe(3);
    expect(world.calls).toEqual(["find carol", "close"]);
    expect(world.containers).toHaveLength(2);
  });

  test("gone already but still recorded: what is left is cleaned up", async () => {
    world.containers = [];
    const { code, stderr } = await cli("delete", "bob", "--force");
    expect(code).toBe(0);
    expect(stderr).toContain("bob was gone already");
    expect(world.calls).toEqual(["find bob", "delete bob on jump-1", "forget bob", "close"]);
  });

  test("a locked stack: conflict, nothing deleted", async () => {
    world.locked = lockedStack;
    expect((await cli("delete", "bob", "--force")).code).toBe(4);
    expect(world.calls).toEqual(["close"]);
  });

  test("one of several fails: exit 8", async () => {
    const { code, stderr } = await cli("delete", "carol", "bob", "--force");
    expect(code).toBe(8);
    expect(stderr).toContain("error: no container for carol in stack local");
    expect(world.desired.map(({ user }) => user)).toEqual(["alice"]);
  });

  test("the stack could not be told: says so, exit 1", async () => {
    world.recordError = new OperationError("pulumi: the disk is full");
    world.recordsBeforeError = true;
    const { code, stderr } = await cli("delete", "bob", "--force");
    expect(code).toBe(1);
    expect(stderr).toContain("the container is deleted, but stack local still speaks of it: pulumi: the disk is full");
    expect(stderr).toContain("Try:  npm run pulumi -- up --stack local");
  });

  test("without a stack nothing is recorded", async () => {
    world.containers = [containerOf("bob", { server: "localhost" })];
    const { code } = await cli("delete", "bob", "--force", "--local");
    expect(code).toBe(0);
    expect(world.calls.some((call) => call.startsWith("forget"))).toBe(false);
  });
});
