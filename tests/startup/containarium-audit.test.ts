import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import path from "node:path";
import { Sandbox } from "./sandbox";

// Each request starts a Python, which takes 0.1 s, and more when all tests run at once.
jest.setTimeout(30_000);

const FINGERPRINT = `SHA256:${"a".repeat(43)}`;
const BOOT = "05be4d62dad346f7ba2b0d1d7260d2a8";
const ALL = { op: "audit.read", since: "2000-01-01T00:00:00.000Z", until: "2100-01-01T00:00:00.000Z", user: "" };
const ID = "9cd2658a-f310-4510-a775-b5c49c3d55cc";

let server: Sandbox;
beforeEach(() => {
  server = new Sandbox();
});
afterEach(() => server.remove());

const file = (name: string) => path.join(server.root, "srv/containarium/state/audit", name);

let count = 0;
/** sshd says something, a second after what it said before. */
function says(message: unknown, fields: Record<string, string> = {}): void {
  count += 1;
  const record = {
    __CURSOR: `cursor-${count}`,
    __REALTIME_TIMESTAMP: String(1_795_788_800_000_000 + count * 1_000_000),
    __MONOTONIC_TIMESTAMP: String(count * 1_000_000),
    _BOOT_ID: BOOT,
    _UID: "0",
    _PID: "1316",
    MESSAGE: message,
    ...fields,
  };
  appendFileSync(path.join(server.root, "journal"), `${JSON.stringify(record)}\n`);
}

const accepted = (user: string, from = "203.0.113.7 port 45426", key = FINGERPRINT) =>
  `Accepted publickey for ${user} from ${from} ssh2: ED25519 ${key}`;

function events(request: object = ALL): Record<string, unknown>[] {
  const answer = server.request(request) as unknown as { result?: { events: Record<string, unknown>[] } };
  expect(answer).toMatchObject({ ok: true, result: { leftOff: 0 } });
  return answer.result!.events;
}

test("a login: who, from where, with which key, until when, and the one address that it could reach", () => {
  server.write("etc/passwd", "root:x:0:0::/root:/bin/bash\nalice:x:70000:996::/:/usr/sbin/nologin\n");
  mkdirSync(path.join(server.root, "etc/ssh/containarium/authorized_keys.d"), { recursive: true });
  server.write(
    "etc/ssh/containarium/authorized_keys.d/alice",
    'restrict,port-forwarding,permitopen="10.0.3.10:22" ssh-ed25519 AAAA alice@laptop\n',
  );
  says(accepted("alice"));
  says("pam_unix(sshd:session): session opened for user alice(uid=70000) by alice(uid=0)");
  says("pam_unix(sshd:session): session closed for user alice");
  const [login, ...others] = events();
  expect(others).toEqual([]);
  expect(login).toEqual({
    event: "login",
    time: expect.stringMatching(/^2026-11-27T14:13:2\d\.000Z$/),
    user: "alice",
    address: "203.0.113.7",
    port: 45426,
    key: `ED25519 ${FINGERPRINT}`,
    target: "10.0.3.10",
    endedAt: expect.stringMatching(/Z$/),
  });
});

test("an end belongs to its own login: the process number comes again one day", () => {
  says(accepted("alice"));
  says("pam_unix(sshd:session): session closed for user alice");
  says(accepted("bob"), { _PID: "1317" });
  expect(events().map(({ user, endedAt }) => [user, endedAt !== undefined])).toEqual([
    ["alice", true],
    ["bob", false],
  ]);
});

test("failed logins, each once", () => {
  says("Invalid user oracle from 203.0.113.9 port 5");
  says("Connection closed by invalid user oracle 203.0.113.9 port 5 [preauth]");
  says("Connection closed by authenticating user alice 203.0.113.9 port 6 [preauth]");
  says("Disconnected from authenticating user bob ::ffff:203.0.113.9 port 7 [preauth]");
  says("error: maximum authentication attempts exceeded for carol from 203.0.113.9 port 8 ssh2 [preauth]");
  says("Disconnecting authenticating user carol 203.0.113.9 port 8: Too many authentication failures [preauth]");
  says("Connection closed by 203.0.113.9 port 9 [preauth]");
  expect(events().map(({ event, user, reason, address }) => [event, user, reason, address])).toEqual([
    ["failed-login", "oracle", "unknown user", "203.0.113.9"],
    ["failed-login", "alice", "no accepted key", "203.0.113.9"],
    ["failed-login", "bob", "no accepted key", "203.0.113.9"],
    ["failed-login", "carol", "too many keys", "203.0.113.9"],
  ]);
});

test.each([
  ["x from 10.0.0.1 port 22", "Invalid user x from 10.0.0.1 port 22 from 203.0.113.9 port 5"],
  [
    // Of a name the first hundred characters are kept.
    accepted("alice", "10.0.0.1 port 1").slice(0, 100),
    `Invalid user ${accepted("alice", "10.0.0.1 port 1")} from 203.0.113.9 port 5`,
  ],
  ["", "Invalid user  from 203.0.113.9 port 5"],
  ["a\nb", "Invalid user a\nb from 203.0.113.9 port 5"],
  ["\u001b[2J", "Invalid user \u001b[2J from 203.0.113.9 port 5"],
])("a name cannot pass for somebody else's address or login: %j", (user, message) => {
  says(message);
  expect(events()).toMatchObject([{ event: "failed-login", user, address: "203.0.113.9", port: 5 }]);
});

test.each<[string, unknown, Record<string, string>]>([
  ["of another process than root's", accepted("alice"), { _UID: "70000" }],
  ["of nobody", accepted("alice"), { _UID: "" }],
  ["with more behind it", `${accepted("alice")} x`, {}],
  ["of a failure, with more behind it", "Invalid user x from 203.0.113.9 port 5 x", {}],
  ["with more before it", `x ${accepted("alice")}`, {}],
  ["in the middle of another", `Received disconnect from 203.0.113.9 port 5:11: ${accepted("alice")}`, {}],
  ["with a name that no account has", accepted("al ice"), {}],
  ["with an address that is none", accepted("alice", "here port 22"), {}],
  ["that is bytes", [65, 99], {}],
  ["that is endless", `Invalid user ${"x".repeat(3000)} from 203.0.113.9 port 5`, {}],
])("a line %s is not believed", (_what, message, fields) => {
  says(message, fields);
  expect(events()).toEqual([]);
});

test("lines that are no records are passed over", () => {
  says(accepted("alice"));
  const whole = server.read("journal")!;
  server.write("journal", whole.replace('"_UID":"0",', ""));
  expect(events()).toEqual([]);
});

test("the server's own walk of somebody's way is no login of theirs", () => {
  const blob = Buffer.from("a key").toString("base64");
  server.write("srv/containarium/state/probe_ed25519.pub", `ssh-ed25519 ${blob} containarium-probe\n`);
  const digest = spawnSync("openssl", ["dgst", "-sha256", "-binary"], { input: "a key" }).stdout;
  says(accepted("alice", "127.0.0.1 port 5", `SHA256:${digest.toString("base64").replace("=", "")}`));
  says(accepted("alice", "127.0.0.1 port 6"));
  expect(events()).toMatchObject([{ user: "alice", port: 6 }]);
});

test("outlives the boot disk with its journal; what is told twice counts once", () => {
  says(accepted("alice"));
  events();
  const journal = server.read("journal")!;
  rmSync(path.join(server.root, "journal"));
  says(accepted("bob"));
  expect(events().map(({ user }) => user)).toEqual(["alice", "bob"]);
  // The cursor was lost in a power cut: all is read again.
  server.write("journal", journal + server.read("journal")!);
  rmSync(file("cursor"));
  expect(events().map(({ user }) => user)).toEqual(["alice", "bob"]);
});

test("a line that a power cut left half written costs that line alone", () => {
  says(accepted("alice"));
  says(accepted("bob"));
  events();
  truncateSync(file("logins.jsonl"), statSync(file("logins.jsonl")).size - 20);
  says(accepted("carol"));
  expect(events().map(({ user }) => user)).toEqual(["alice", "carol"]);
});

test("a flood of guesses is counted: it neither fills the disk nor pushes out what people did", () => {
  for (let guess = 0; guess < 300; guess++) says(`Invalid user u${guess} from 203.0.113.9 port 5`);
  says(accepted("alice"));
  const all = events();
  // One a second, so 60 a minute, of which 20 are kept.
  const guesses = all.filter(({ event }) => event === "failed-login");
  expect(guesses.length).toBeLessThanOrEqual(6 * 20);
  expect(guesses.reduce((sum, { more = 0 }) => sum + 1 + (more as number), 0)).toBe(300);
  expect(all.at(-1)).toMatchObject({ user: "alice" });
});

test("a file that grows too large keeps its newest part", () => {
  says(accepted("alice"));
  events();
  const filler = `${JSON.stringify({ time: "2026-01-01T00:00:00.000Z", event: "login", id: "x", user: "old" })}\n`;
  appendFileSync(file("logins.jsonl"), filler.repeat(Math.ceil((17 * 1024 * 1024) / filler.length)));
  says(accepted("bob"));
  expect(events().map(({ user }) => user)).toEqual(["old", "alice", "bob"]);
  expect(statSync(file("logins.jsonl")).size).toBeLessThan(1000);
});

test("by user and by time", () => {
  for (const user of ["alice", "bob", "alice"]) says(accepted(user));
  const [first, second, third] = events();
  expect(events({ ...ALL, user: "alice" })).toEqual([first, third]);
  expect(events({ ...ALL, since: second!.time, until: second!.time })).toEqual([second]);
});

test.each([
  [{ ...ALL, since: "yesterday" }],
  [{ ...ALL, user: "Alice; rm" }],
  [{ op: "audit.begin", id: ID, operation: "create\n", user: "alice", detail: "" }],
  [{ op: "audit.begin", id: "1", operation: "create", user: "alice", detail: "" }],
  [{ op: "audit.end", id: ID, result: "perhaps", message: "" }],
  [{ op: "bans.add", address: "203.0.113.0/24", seconds: 3600 }],
  [{ op: "bans.add", address: "203.0.113.9; id", seconds: 3600 }],
  [{ op: "bans.add", address: "fe80::1%eth0", seconds: 3600 }],
  [{ op: "bans.add", address: "203.0.113.9", seconds: -1 }],
  [{ op: "bans.add", address: "203.0.113.9", seconds: true }],
  [{ op: "bans.remove", address: 7 }],
])("bad input is refused and changes nothing: %j", (request) => {
  const before = server.snapshot();
  expect(server.request(request)).toMatchObject({ ok: false, error: { code: "invalid" } });
  expect(server.snapshot()).toEqual(before);
});

describe("operations", () => {
  const begin = { op: "audit.begin", id: ID, operation: "create", user: "alice", detail: "by t@laptop" };

  test("one that was killed is begun and not ended; one that ended says how", () => {
    server.request(begin);
    expect(events()).toEqual([
      {
        event: "operation",
        time: expect.any(String),
        operation: "create",
        user: "alice",
        detail: "by t@laptop",
        result: "not-ended",
        by: expect.any(String),
      },
    ]);
    server.request({ op: "audit.end", id: ID, result: "failed", message: "the pool is \u001b[2J full\n" });
    expect(events()).toMatchObject([
      { result: "failed", message: "the pool is [2J full", endedAt: expect.any(String) },
    ]);
    expect(readFileSync(file("operations.jsonl"), "utf8").match(/\n/g)).toHaveLength(2);
  });

  test("are not written beside the data disk", () => {
    rmSync(path.join(server.root, "srv/containarium/state"), { recursive: true });
    expect(server.request(begin)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("data disk") },
    });
  });
});

describe("bans", () => {
  const add = (address: string, seconds = 3600) => server.request({ op: "bans.add", address, seconds });
  const bans = (jails: Record<string, string[]>) => server.write("bans.json", JSON.stringify(jails));
  const database = (...rows: [string, string, number, number][]) =>
    spawnSync("python3", [
      "-c",
      `import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE IF NOT EXISTS bans (jail, ip, timeofban, bantime, bancount, data)")
db.execute("DELETE FROM bans")
db.executemany("INSERT INTO bans VALUES (?, ?, ?, ?, 1, '{}')", json.loads(sys.argv[2]))
db.commit()`,
      path.join(server.root, "srv/containarium/state/fail2ban.sqlite3"),
      JSON.stringify(rows),
    ]);

  test("a ban is one when the firewall has it, whatever fail2ban says", () => {
    bans({ sshd: ["203.0.113.9"], containarium: [] });
    database(["sshd", "203.0.113.9", 1_795_788_800, 600]);
    const ban = {
      address: "203.0.113.9",
      by: "sshd",
      since: "2026-11-27T14:13:20.000Z",
      until: "2026-11-27T14:23:20.000Z",
    };
    const list = () => server.request({ op: "bans.list" });
    expect(list()).toMatchObject({ result: { running: true, bans: [{ ...ban, enforced: true }] } });
    server.write("firewall-is-deaf", "");
    expect(list()).toMatchObject({ result: { bans: [{ ...ban, enforced: false }] } });
    rmSync(path.join(server.root, "bans.json"));
    expect(list()).toMatchObject({ result: { running: false, bans: [] } });
  });

  test("add bans for as long as it is told, remove lets in again", () => {
    bans({ sshd: [], containarium: [] });
    expect(add("203.0.113.9", 7200)).toMatchObject({ ok: true, result: { by: "administrator", enforced: true } });
    expect(server.calls()).toContainEqual(["fail2ban-client", "set", "containarium", "bantime", "7200"]);
    expect(server.read("bans.json")).toContain("203.0.113.9");
    expect(server.request({ op: "bans.remove", address: "203.0.113.9" })).toMatchObject({ result: { removed: true } });
    expect(server.request({ op: "bans.remove", address: "203.0.113.9" })).toMatchObject({ result: { removed: false } });
  });

  test.each([
    ["loopback", "127.0.0.1"],
    ["a network that is never banned", "198.51.100.77"],
    ["a server of the fleet", "10.20.0.12"],
    ["a container", "10.0.3.10"],
    ["loopback, in another spelling", "::ffff:127.0.0.1"],
  ])("%s is not banned", (_what, address) => {
    const values = { schema: 1, name: "jump-1", containerSubnet: "10.0.3.0/24", fleetSubnet: "10.20.0.0/24" };
    server.write("etc/containarium/server.json", JSON.stringify({ ...values, neverBan: ["198.51.100.0/24"] }));
    bans({ sshd: [], containarium: [] });
    expect(add(address)).toMatchObject({ ok: false, error: { code: "conflict" } });
    expect(server.calls()).toEqual([]);
  });

  test("nor is the address that the administrator comes from", () => {
    bans({ sshd: [], containarium: [] });
    process.env.SSH_CONNECTION = "203.0.113.50 51000 10.20.0.11 22";
    try {
      expect(add("203.0.113.50")).toMatchObject({
        ok: false,
        error: { code: "conflict", message: expect.stringContaining("your own") },
      });
    } finally {
      delete process.env.SSH_CONNECTION;
    }
  });

  test("the history outlives fail2ban's own memory", () => {
    const history = () => server.request({ ...ALL, op: "bans.history", user: undefined });
    database(["sshd", "203.0.113.9", 1_795_788_800, 600]);
    const banned = { event: "banned", address: "203.0.113.9", by: "sshd", time: "2026-11-27T14:13:20.000Z" };
    expect(history()).toMatchObject({ result: { history: [banned] } });
    database(["containarium", "203.0.113.10", 1_795_788_900, 600]);
    expect(history()).toMatchObject({ result: { history: [banned, { by: "administrator" }] } });
    expect(readFileSync(file("bans.jsonl"), "utf8").match(/\n/g)).toHaveLength(2);
  });
});
