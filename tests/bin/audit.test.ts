import type { RecordedEvent } from "../../ops/host/helper-protocol";
import { FleetWorld } from "./fleet-world";
import { keys, run } from "./harness";

let world: FleetWorld;
beforeEach(async () => {
  world = await FleetWorld.start("jump-1", "jump-2");
  await world.add({ user: "alice", sshKeys: [keys.alice] });
});
afterEach(() => world.close());

const cli = (...argv: string[]) => run(argv, world, world.fake.directory);
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const key = `ED25519 SHA256:${"k".repeat(43)}`;
const from = { address: "203.0.113.7", port: 5 };
const login = (user: string, minutes: number): RecordedEvent => {
  return { event: "login", time: minutesAgo(minutes), user, ...from, key, target: "10.0.3.10" };
};
const guess = (user: string, minutes = 3): RecordedEvent => {
  return { event: "failed-login", time: minutesAgo(minutes), user, reason: "unknown user", ...from };
};
const create: RecordedEvent = { event: "operation", time: minutesAgo(9), operation: "create", user: "alice", result: "not-ended", by: "admin" }; // prettier-ignore

describe("audit", () => {
  beforeEach(() => {
    world.fakes[0]!.helper.events = [create, login("alice", 8), guess("oracle")];
    world.fakes[1]!.helper.events = [login("alice", 5), login("bob", 4)];
  });

  test("several servers side by side, in the order in which it happened", async () => {
    const { code, stdout } = await cli("audit");
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    const seen = lines.slice(1).map((line) => line.split(/ {2,}/).slice(1, 4));
    expect(seen).toEqual([
      ["jump-1", "create", "alice"],
      ["jump-1", "login", "alice"],
      ["jump-2", "login", "alice"],
      ["jump-2", "login", "bob"],
      ["jump-1", "failed-login", "oracle"],
    ]);
    expect(lines[1]).toContain("not-ended, by admin");
    // sshd does not say where somebody went; what is known is where they could.
    expect(lines[0]).toContain("MAY REACH");
  });

  test("of one user, of a kind, of a time", async () => {
    const users = async (...argv: string[]) => {
      const { stdout } = await cli("audit", ...argv, "--json");
      const { events } = JSON.parse(stdout) as { events: { user: string; event: string }[] };
      return events.map(({ user, event }) => `${user} ${event}`);
    };
    expect(await users("bob")).toEqual(["bob login"]);
    expect(await users("--only", "failures")).toEqual(["oracle failed-login"]);
    expect(await users("--only", "operations")).toEqual(["alice operation"]);
    expect(await users("--since", "6m", "--until", "4m")).toEqual(["alice login", "bob login"]);
  });

  test("what strangers call themselves never reaches a terminal or a spreadsheet as it is", async () => {
    const evil = '\u001b[2J\u202e=cmd|"/c calc",x';
    world.fakes[0]!.helper.events = [guess(evil), guess("=1+1"), guess("@SUM(1)"), guess('a,"b"')];
    const invisible = /(?!\n)[\p{Cc}\p{Cf}]/u;
    for (const argv of [["audit"], ["audit", "--csv"], ["audit", "--json"], ["status"], ["status", "--json"]]) {
      const { code, stdout } = await cli(...argv);
      expect([argv, code, invisible.exec(stdout)]).toEqual([argv, 0, null]);
    }
    const csv = (await cli("audit", "--csv")).stdout;
    expect(csv).toContain(",'=1+1,");
    expect(csv).toContain(",'@SUM(1),");
    expect(csv).toContain(',"a,""b""",');
    const json = JSON.parse((await cli("audit", "--json")).stdout) as { events: { user: string }[] };
    expect(json.events.map(({ user }) => user)).toContain(evil);
  });

  test("one server down: what the others know, exit 8; all down: exit 6", async () => {
    await world.fakes[1]!.stop();
    const some = await cli("audit");
    expect(some.code).toBe(8);
    expect(some.stdout).toContain("oracle");
    expect(some.stderr).toContain("jump-2");
    await world.fakes[0]!.stop();
    expect((await cli("audit")).code).toBe(6);
  });

  test.each([
    ["audit", "Alice"],
    ["audit", "--since", "yesterday"],
    ["audit", "--since", "1h", "--until", "2h"],
    ["audit", "--only", "everything"],
    ["bans", "add", "203.0.113.0/24"],
    ["bans", "add", "example.org"],
    ["bans", "add", "203.0.113.9", "--for", "ever"],
    ["bans", "remove", "all"],
    ["sessions", "-1"],
  ])("bad input, exit 2, nobody is asked: %s %s %s", async (...argv) => {
    expect((await cli(...argv.filter((word) => word !== undefined))).code).toBe(2);
    expect(world.fakes.map(({ logins }) => logins)).toEqual([1, 0]);
  });
});

test("sessions: who, since when, from where, through which server, to where", async () => {
  const session = { user: "alice", since: minutesAgo(5), address: "203.0.113.7", port: 5, openTo: ["10.0.3.10"], key };
  world.fakes[1]!.helper.sessions = [session, { ...session, user: "bob", openTo: [] }];
  const { code, stdout } = await cli("sessions");
  expect(code).toBe(0);
  expect(stdout.split("\n")[1]).toMatch(
    /^alice {3}\S+Z {3}203\.0\.113\.7 {3}jump-2 {4}10\.0\.3\.10 {3}ED25519 SHA256:/,
  );
  expect(JSON.parse((await cli("sessions", "bob", "--json")).stdout)).toMatchObject({ sessions: [{ user: "bob" }] });
});

describe("bans", () => {
  test("add bans on every server, list shows it, remove lets in, history remembers", async () => {
    const added = await cli("bans", "add", "203.0.113.9", "--for", "2h", "--json");
    expect(added.code).toBe(0);
    expect(JSON.parse(added.stdout)).toMatchObject({ bans: [{ server: "jump-1" }, { server: "jump-2" }] });
    const asked = { op: "bans.add", address: "203.0.113.9", seconds: 7200 };
    for (const { helper } of world.fakes) expect(helper.requests).toContainEqual(asked);
    expect((await cli("bans", "list")).stdout).toMatch(/203\.0\.113\.9 +administrator.*jump-2 +yes/);
    expect((await cli("bans", "remove", "203.0.113.9")).stdout).toBe(
      "203.0.113.9 is let in again on jump-1, jump-2.\n",
    );
    expect((await cli("bans", "remove", "203.0.113.9")).code).toBe(3);
    world.fake.helper.banEvents = [{ time: minutesAgo(5), event: "banned", address: "203.0.113.9", by: "sshd" }];
    expect((await cli("bans", "history")).stdout).toMatch(/banned +203\.0\.113\.9 +sshd/);
  });

  test("an address that is never banned is a conflict: exit 4", async () => {
    expect((await cli("bans", "add", "192.0.2.1")).code).toBe(4);
  });

  test("a ban that is not in the firewall is said; a fail2ban that does not run is a failure", async () => {
    world.fake.helper.bans = [{ address: "203.0.113.9", by: "sshd", enforced: false }];
    expect((await cli("bans", "list")).stdout).toContain("NO: not in the firewall");
    world.fake.helper.fail2banRuns = false;
    const { code, stderr } = await cli("bans", "list");
    expect([code, stderr]).toEqual([8, expect.stringContaining("fail2ban does not run on jump-1")]);
  });
});

describe("status", () => {
  test("health, sessions, bans, logins, failures, users of today", async () => {
    world.fakes[0]!.helper.events = [guess("oracle"), { ...login("alice", 2), target: undefined } as RecordedEvent];
    world.fakes[1]!.helper.events = [login("alice", 0), { ...login("bob", 0), more: 4 } as RecordedEvent];
    world.fake.helper.bans = [{ address: "203.0.113.9", by: "sshd", enforced: true }];
    const { code, stdout } = await cli("status");
    expect(code).toBe(0);
    expect(stdout).toMatch(/jump-1 +well +1 running +1/);
    expect(stdout).toMatch(/jump-2 +well +none +0/);
    expect(stdout).toContain("Connected now: none");
    expect(stdout).toMatch(/Banned now:\n.*\n203\.0\.113\.9/);
    expect(stdout).toMatch(/Failed logins of the last hour[^]*oracle[^]*Logins of the last hour[^]*alice/);
    expect(stdout).toMatch(/USER +CONNECTIONS\nbob +5\nalice +[12]$/m);
  });

  test("an administrator's own logins are no user's", async () => {
    world.fake.helper.events = [{ ...login("admin", 0), target: undefined } as RecordedEvent];
    const { stdout } = await cli("status", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ recentLogins: [], usersToday: [], connectionsToday: [] });
  });

  test("says what somebody should look at", async () => {
    world.fake.helper.poolBytes = 1.05e9;
    world.fake.helper.fail2banRuns = false;
    world.fake.incus.of("alice")!.config["user.containarium.state"] = "creating";
    const { stdout } = await cli("status");
    expect(stdout).toMatch(/jump-1 +LOOK/);
    expect(stdout).toContain("jump-1: its pool is 95% full");
    expect(stdout).toContain("jump-1: fail2ban does not run: nobody is banned");
    expect(stdout).toContain("jump-1: 1 of its containers: half-made");
  });

  test("one server down: shown as unreachable, the rest is there, exit 8; all down: exit 6", async () => {
    await world.fakes[1]!.stop();
    const some = await cli("status");
    expect(some.code).toBe(8);
    expect(some.stdout).toMatch(/jump-1 +well[^]*jump-2 +UNREACHABLE/);
    await world.fakes[0]!.stop();
    const none = await cli("status", "--json");
    expect(none.code).toBe(6);
    expect(JSON.parse(none.stdout)).toMatchObject({ servers: [{ reachable: false }, { reachable: false }] });
  });
});
