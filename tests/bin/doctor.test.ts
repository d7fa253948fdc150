import type { ServerCheck } from "../../ops/doctor/check";
import { FleetWorld } from "./fleet-world";
import { keys, run } from "./harness";

let world: FleetWorld;
beforeEach(async () => {
  world = await FleetWorld.start("jump-1", "jump-2");
  await world.add({ user: "alice", sshKeys: [keys.alice] });
});
afterEach(() => world.close());

const cli = (...argv: string[]) => run(argv, world, world.fake.directory);
const failed: ServerCheck = {
  name: "fail2ban",
  state: "failed",
  detail: "it does not run",
  remedy: "Start it again:\n  sudo systemctl restart fail2ban.service\n  containarium-ops list",
  depends: [],
};

describe("doctor", () => {
  test("all well: one line each, exit 0; each server is told whom it must hear", async () => {
    const { code, stdout, stderr } = await cli("doctor", "alice");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(
      [
        "✓ jump-1 SSH    answers, with the pinned host key",
        "✓ jump-1 Incus  answers",
        "✓ jump-2 SSH    answers, with the pinned host key",
        "✓ jump-2 Incus  answers",
        "4 checks: 4 ok",
        "",
      ].join("\n"),
    );
    expect(world.fakes.map(({ helper }) => helper.requests)).toEqual([
      [{ op: "doctor.examine", user: "alice", peers: ["jump-2"] }],
      [{ op: "doctor.examine", user: "alice", peers: ["jump-1"] }],
    ]);
  });

  test("what failed, what to do, and how to get there; exit 1, nothing more on stderr", async () => {
    world.fake.helper.checks = [failed];
    const { code, stdout, stderr } = await cli("doctor", "--stack", "local");
    expect([code, stderr]).toEqual([1, ""]);
    expect(stdout).toContain(
      "✗ jump-1 fail2ban  it does not run\n    Start it again:\n    Try:  sudo systemctl restart fail2ban.service\n    Try:  npx containarium-ops list --stack local\n",
    );
    const { address } = world.fake;
    expect(stdout).toContain(`sudo on jump-1:  ssh -i ${address.identityFile} -p ${address.port} admin@127.0.0.1\n`);
    expect(stdout).toMatch(/\n4 checks: 3 ok, 1 failed\n$/);
    const { checks, failures } = JSON.parse((await cli("doctor", "--json")).stdout);
    expect(checks[1]).toEqual({ server: "jump-1", name: "fail2ban", state: "failed", detail: "it does not run", remedy: failed.remedy?.replace("containarium-ops", "npx containarium-ops") }); // prettier-ignore
    expect(failures).toEqual([]);
  });

  test("a server that cannot be reached: exit 6, its other checks not tried, nor what needs it", async () => {
    const hears = { ...failed, name: "hears jump-2", depends: [{ server: "jump-2", check: "fleet service" }] };
    world.fake.helper.checks = [hears];
    await world.fakes[1]!.stop();
    const { code, stdout } = await cli("doctor");
    expect(code).toBe(6);
    expect(stdout).toMatch(/- jump-1 hears jump-2 +not tried: needs fleet service of jump-2\n/);
    expect(stdout).toMatch(/✗ jump-2 SSH +cannot reach jump-2/);
    expect(stdout).toMatch(/- jump-2 everything else +not tried: needs SSH\n/);
    world.fake.helper.checks = [failed];
    expect((await cli("doctor")).code).toBe(1);
  });

  test("a helper that gives no answer is the server's fault", async () => {
    world.fake.behaviour.helper = "garbage";
    const { code, stdout } = await cli("doctor");
    expect([code, stdout]).toEqual([1, expect.stringMatching(/✗ jump-1 host helper +the host helper on jump-1 gave/)]);
  });

  test("a clock that differs from ours", async () => {
    world.fake.helper.checks = [{ name: "clock", state: "ok", detail: "synchronised", depends: [] }];
    expect((await cli("doctor")).code).toBe(0);
    world.fake.helper.clockAhead = 100;
    const { code, stdout } = await cli("doctor");
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/✗ jump-1 clock +it differs from this machine's by 100 s/),
    ]);
  });

  test("nobody of that name: exit 3; a name that is none: exit 2; unknown while a server is silent: exit 6", async () => {
    expect((await cli("doctor", "nobody2")).code).toBe(3);
    expect((await cli("doctor", "No;body")).code).toBe(2);
    await world.fakes[1]!.stop();
    expect((await cli("doctor", "nobody2")).code).toBe(6);
  });
});

describe("verify-access", () => {
  test("a table, exit 0; exit 1 when something is open", async () => {
    for (const { helper } of world.fakes) helper.accounts.set("alice", world.fake.helper.accounts.get("alice")!);
    const well = await cli("verify-access", "alice");
    expect(well.code).toBe(0);
    expect(well.stdout).toMatch(/✓ +jump-1 +a shell +refused by sshd +refused by sshd\n/);
    expect(well.stdout).toMatch(/✓ +jump-2 +from this machine: 127\.0\.0\.1 port \d+ +open +open\n/);
    expect(well.stdout).toMatch(/\n14 attempts: all as they must be\n$/);
    world.fake.helper.attempts[0] = { attempt: "a shell", expected: "refused by sshd", result: "open", ok: false };
    const open = await cli("verify-access", "alice");
    expect([open.code, open.stderr]).toEqual([1, ""]);
    expect(open.stdout).toMatch(/✗ +jump-1 +a shell +refused by sshd +open\n/);
    expect(open.stdout).toMatch(/\n1 of 14 attempts: not as they must be\n$/);
  });

  test("nobody: exit 3; a server without the account: exit 3, the others are tried; unreachable: exit 6", async () => {
    expect((await cli("verify-access", "nobody2")).code).toBe(3);
    const one = await cli("verify-access", "alice");
    expect([one.code, one.stderr]).toEqual([3, expect.stringContaining("jump-2: there is no jump account alice")]);
    expect(one.stdout).toContain("a shell");
    await world.fakes[1]!.stop();
    expect((await cli("verify-access", "alice")).code).toBe(6);
    // Where a server is gone, whoever lives there cannot be reached; what is open is open all the same.
    const { attempts } = world.fake.helper;
    attempts[0] = { attempt: "open 10.0.4.10:22", expected: "open", result: "no answer", ok: false };
    expect((await cli("verify-access", "alice")).code).toBe(6);
    attempts[0] = { attempt: "a shell", expected: "refused by sshd", result: "open", ok: false };
    expect((await cli("verify-access", "alice")).code).toBe(1);
  });
});
