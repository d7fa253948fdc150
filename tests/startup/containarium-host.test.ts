import { spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import path from "node:path";
import { utimesSync } from "node:fs";
import { HELPER, Sandbox } from "./sandbox";

const BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIAxYMvpV/ari0kdpfUjQl33M38YVH1eIIjnQZX+O2Ir0";
const KEY = `ssh-ed25519 ${BLOB} alice@laptop`;
const OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKd+Acy8LFSZ3WT04gJ6rr7ZCCEVuv34nWYRnzTvGXk8";
const PUT = { op: "account.put", user: "alice", keys: [KEY], target: "10.0.3.10" };
const KEYS_FILE = "etc/ssh/containarium/authorized_keys.d/alice";
const OPTIONS = 'restrict,port-forwarding,permitopen="10.0.3.10:22"';

// Each request starts a Python, which takes 0.1 s, and more when all tests run at once.
jest.setTimeout(30_000);

let server: Sandbox;
beforeEach(() => {
  server = new Sandbox();
});
afterEach(() => server.remove());

function wireString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A key whose data does not fill its last base64 digit, so that the digit has several spellings. */
function securityKey(): string {
  const parts = ["sk-ssh-ed25519@openssh.com", "k".repeat(32), "ssh:"].map((text) => wireString(Buffer.from(text)));
  return `sk-ssh-ed25519@openssh.com ${Buffer.concat(parts).toString("base64")}`;
}

function rsaKey(bits: number): string {
  const { n, e } = generateKeyPairSync("rsa", { modulusLength: bits }).publicKey.export({ format: "jwk" });
  const integer = (text: string) => Buffer.concat([Buffer.from([0]), Buffer.from(text, "base64url")]);
  const parts = [Buffer.from("ssh-rsa"), Buffer.from(e!, "base64url"), integer(n!)];
  return `ssh-rsa ${Buffer.concat(parts.map(wireString)).toString("base64")}`;
}

test("the helper itself can be started and speaks JSON", () => {
  const run = spawnSync(HELPER, { input: "{", encoding: "utf8" });
  expect(run.status).toBe(1);
  expect(JSON.parse(run.stdout)).toMatchObject({ ok: false, error: { code: "invalid" } });
});

describe("bad input is refused as invalid and changes nothing", () => {
  const cases: [string, unknown][] = [
    ["no operation", {}],
    ["an unknown operation", { op: "account.drop", user: "alice" }],
    ["an operation that is a list", { op: ["account.list"] }],
    ["a field too many", { op: "account.check", user: "alice", force: true }],
    ["a field too few", { op: "account.put", user: "alice", keys: [KEY] }],
    ["fields where there are none", { op: "rebuild", user: "alice" }],
    ...[
      "",
      "Alice",
      "1alice",
      "-alice",
      "al ice",
      "alice\n",
      "../root",
      "zz;id",
      "zz$(id)",
      "a".repeat(33),
      "älice",
    ].map((user): [string, unknown] => [`user ${JSON.stringify(user)}`, { ...PUT, user }]),
    ["a user that is no string", { ...PUT, user: ["alice"] }],
    ...["", "10.0.3.0", "10.0.3.1", "10.0.3.255", "10.0.4.10", "127.0.0.1", "169.254.169.254", "10.0.3.010"].map(
      (target): [string, unknown] => [`target ${JSON.stringify(target)}`, { ...PUT, target }],
    ),
    ...["10.0.3.10:22", '10.0.3.10"', "10.0.3.10,10.0.3.11", "::ffff:10.0.3.10", "alice-container", "10.0.3.10/32"].map(
      (target): [string, unknown] => [`target ${JSON.stringify(target)}`, { ...PUT, target }],
    ),
    ["a target that is a number", { ...PUT, target: 167772938 }],
    ["no keys", { ...PUT, keys: [] }],
    ["keys that are no list", { ...PUT, keys: KEY }],
    ["a key that is no string", { ...PUT, keys: [KEY, 7] }],
    ...[
      "",
      "ssh-ed25519",
      `${KEY}\nssh-ed25519 AAAA`,
      `${KEY}\rx`,
      `${KEY}\u2028x`,
      `${KEY}\u0000`,
      `${KEY}\tx`,
      `command="/bin/sh" ${KEY}`,
      `permitopen="*:*" ${KEY}`,
      `restrict ${KEY}`,
      `no-pty,${KEY}`,
      `${KEY} "quoted"`,
      `ssh-dss ${BLOB}`,
      `ssh-ed25519-cert-v01@openssh.com ${BLOB}`,
      `ssh-rsa ${BLOB}`,
      `ssh-ed25519 ${BLOB.slice(0, -4)}`,
      `ssh-ed25519 ${BLOB}AAAA`,
      securityKey().replace(/.=$/, (end) => (end === "o=" ? "p=" : "o=")),
      `ssh-ed25519 ${BLOB.slice(0, 20)}!${BLOB.slice(21)}`,
      `ssh-ed25519 ${"A".repeat(9000)}`,
      "-----BEGIN OPENSSH PRIVATE KEY-----",
    ].map((key): [string, unknown] => [`key ${JSON.stringify(key.slice(0, 40))}`, { ...PUT, keys: [key] }]),
    ...[0, -1, 601, true, "5", null].map((timeoutSeconds): [string, unknown] => [
      `timeout ${JSON.stringify(timeoutSeconds)}`,
      { op: "path.verify", user: "alice", target: "10.0.3.10", timeoutSeconds },
    ]),
  ];
  const outside = new Sandbox();
  const before = outside.snapshot();
  const answers = outside.sendEach(cases.map(([, request]) => JSON.stringify(request)));
  const after = outside.snapshot();
  outside.remove();

  test.each(cases.map(([title], index): [string, number] => [title, index]))("%s", (_, index) => {
    expect(answers[index]).toMatchObject({ ok: false, error: { code: "invalid" }, stderr: "" });
    expect(answers[index]!.error!.message).not.toMatch(/\n/);
  });

  test("nothing was started and nothing was written", () => {
    expect(answers).toHaveLength(cases.length);
    expect(after).toEqual(before);
  });

  test.each([
    ["nothing", ""],
    ["no JSON", "op=rebuild"],
    ["two objects", '{"op":"account.list"}{"op":"account.list"}'],
    ["a list", "[]"],
    ["a field twice", '{"op":"account.list","op":"rebuild"}'],
    ["no number", '{"op":"path.verify","user":"alice","target":"10.0.3.10","timeoutSeconds":NaN}'],
    ["bytes that are no UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
    ["a bottomless list", "[".repeat(100_000)],
    ["too much", `"${"x".repeat(5_000_000)}"`],
  ])("%s on stdin", (_, input) => {
    expect(server.send(input)).toMatchObject({ status: 1, ok: false, error: { code: "invalid" }, stderr: "" });
    expect(server.calls()).toEqual([]);
  });
});

describe("account.put", () => {
  test("makes an account without home, password, shell and subordinate ids", () => {
    expect(server.request(PUT)).toMatchObject({ status: 0, result: { created: true, changed: true, uid: 70000 } });
    expect(server.calls().find(([program]) => program === "useradd")).toEqual(
      (
        "useradd --no-create-home --home-dir / --shell /usr/sbin/nologin --gid containarium-jump " +
        "--no-user-group --password * -K SUB_UID_COUNT=0 -K SUB_GID_COUNT=0 -K UID_MIN=70000 -K UID_MAX=79999 alice"
      ).split(" "),
    );
  });

  test("writes one line for each key, and one for the server's own probe", () => {
    server.request({ ...PUT, keys: [KEY, OTHER, `ssh-ed25519 ${BLOB} the same again`] });
    const lines = server.read(KEYS_FILE)!.split("\n");
    expect(lines.slice(0, 2)).toEqual([`${OPTIONS} ${KEY}`, `${OPTIONS} ${OTHER}`]);
    expect(lines[2]).toMatch(
      /^from="127\.0\.0\.1,::1",restrict,port-forwarding,permitopen="10\.0\.3\.10:22" ssh-ed25519 \S+ containarium-probe$/,
    );
    expect(lines.slice(3)).toEqual([""]);
    expect(server.read("srv/containarium/state/probe_ed25519")).toContain("PRIVATE KEY");
  });

  test.each([
    ["rsa", rsaKey(2048)],
    ["a security key", securityKey()],
    ["a comment in any script", `${KEY} на работе 'n stuff`],
  ])("takes %s", (_, key) => {
    expect(server.request({ ...PUT, keys: [key] }).ok).toBe(true);
    expect(server.read(KEYS_FILE)).toContain(`${OPTIONS} ${key}\n`);
  });

  test("again changes nothing; another key or address does", () => {
    server.request(PUT);
    const before = server.snapshot()[KEYS_FILE];
    expect(server.request(PUT).result).toEqual({ created: false, changed: false, uid: 70000 });
    expect(server.snapshot()[KEYS_FILE]).toBe(before);
    expect(server.request({ ...PUT, keys: [OTHER] }).result).toMatchObject({ created: false, changed: true });
    expect(server.read(KEYS_FILE)).not.toContain(BLOB);
    expect(server.request({ ...PUT, keys: [OTHER], target: "10.0.3.77" }).result).toMatchObject({ changed: true });
    expect(server.read(KEYS_FILE)).not.toContain("10.0.3.10:");
  });

  test("tells the firewall who may go where, and leaves it in the file that a reload includes", () => {
    server.request(PUT);
    server.request({ ...PUT, user: "bob", target: "10.0.3.11" });
    const element = "add element inet containarium jump_targets { 70000 . 10.0.3.10 . 22, 70001 . 10.0.3.11 . 22 }\n";
    expect(server.calls().at(-1)).toEqual(["nft", "-f", "-", `flush set inet containarium jump_targets\n${element}`]);
    expect(server.read("etc/containarium/nftables.d/jump-targets.nft")).toContain(element);
  });

  test("loads the whole table when the set is gone", () => {
    server.failWith({ program: "nft", status: 1, stderr: "No such file or directory", times: 1 });
    expect(server.request(PUT).ok).toBe(true);
    expect(server.calls().at(-1)).toEqual(["nft", "-f", `${server.root}/etc/nftables-containarium.conf`]);
  });

  test.each(["root", "boss"])("leaves the account %s of somebody else alone", (user) => {
    const before = server.snapshot();
    const answer = server.request({ ...PUT, user });
    expect(answer).toMatchObject({
      status: 1,
      error: { code: "conflict", remedy: expect.stringContaining("another name") },
    });
    expect(server.snapshot()).toEqual(before);
  });

  test.each([
    ["a jump account's group, but an ordinary uid", "eve:x:1001:996::/home/eve:/bin/bash"],
    ["a jump account's uid, but another group", "eve:x:70001:1001::/home/eve:/bin/bash"],
  ])("does not take an account for ours with %s", (_, line) => {
    server.write("etc/passwd", `${server.read("etc/passwd")}${line}\n`);
    expect(server.request({ op: "account.check", user: "eve" }).result).toEqual({ state: "foreign" });
    expect(server.request({ ...PUT, user: "eve" }).error?.code).toBe("conflict");
    expect(server.request({ op: "account.remove", user: "eve" }).error?.code).toBe("conflict");
    expect(server.calls()).toEqual([]);
  });

  test("refuses the administrator's name even before that account exists", () => {
    server.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
    expect(server.request({ op: "account.check", user: "boss" }).result).toEqual({ state: "foreign" });
    expect(server.request({ ...PUT, user: "boss" }).error?.code).toBe("conflict");
  });

  test("a name that somebody takes in the same moment is a conflict, not a failure", () => {
    server.failWith({ program: "useradd", status: 9, stderr: "useradd: user 'alice' already exists", times: 1 });
    expect(server.request(PUT).error).toMatchObject({ code: "conflict" });
    expect(server.read(KEYS_FILE)).toBeUndefined();
  });

  test.each([
    ["whose useradd was killed half way", "shadow", (text: string) => text.replace(/^alice.*\n/m, "")],
    ["that was given a password", "shadow", (text: string) => text.replace("alice:*:", "alice:$y$hash:")],
    ["that was given a shell", "passwd", (text: string) => text.replace(/(alice.*):.*$/m, "$1:/bin/bash")],
  ])("mends an account %s, with the same uid", (_, file, damage) => {
    server.request(PUT);
    server.request({ ...PUT, user: "bob", target: "10.0.3.11" });
    server.write(`etc/${file}`, damage(server.read(`etc/${file}`)!));
    expect(server.request(PUT).result).toEqual({ created: false, changed: true, uid: 70000 });
    expect(server.read("etc/shadow")).toMatch(/^alice:\*:/m);
    expect(server.read("etc/passwd")).toMatch(/^alice:x:70000:996::\/:\/usr\/sbin\/nologin$/m);
  });

  test("says that the data disk is missing instead of making a key on the boot disk", () => {
    server.send(JSON.stringify({ op: "account.list" }));
    const { root } = server;
    spawnSync("rm", ["-r", `${root}/srv/containarium/state`]);
    expect(server.request(PUT).error?.message).toContain("data disk");
  });
});

describe("locked account files", () => {
  const LOCKED = { program: "useradd", status: 1, stderr: "useradd: cannot lock /etc/passwd; try again later.\n" };
  const sleeps = () =>
    server
      .calls()
      .filter(([name]) => name === "sleep")
      .map(([, seconds]) => seconds as number);

  test("are waited for, twice as long each time, with jitter", () => {
    server.failWith({ ...LOCKED, times: 5 });
    expect(server.request(PUT)).toMatchObject({ ok: true, result: { created: true } });
    const expected = [0.5, 1, 2, 4, 8];
    expect(sleeps()).toHaveLength(5);
    sleeps().forEach((seconds, index) => {
      expect(seconds / expected[index]!).toBeGreaterThanOrEqual(0.75);
      expect(seconds / expected[index]!).toBeLessThanOrEqual(1.25);
    });
    expect(sleeps()).not.toEqual(expected);
  });

  test("six times, then the error says who holds them", async () => {
    const holder = spawn("sleep", ["60"]);
    await once(holder, "spawn");
    server.write("etc/passwd.lock", `${holder.pid}\0`);
    server.failWith({ ...LOCKED, times: 6 });
    const answer = server.request(PUT);
    holder.kill();
    expect(answer.error).toMatchObject({ code: "locked" });
    expect(answer.error!.message).toContain(`process ${holder.pid} (sleep)`);
    expect(sleeps()).toHaveLength(5);
    expect(server.calls().filter(([program]) => program === "useradd")).toHaveLength(6);
  });

  test("a lock from before a power cut, whose process number is somebody else's now, is removed", async () => {
    const stranger = spawn("sleep", ["60"]);
    await once(stranger, "spawn");
    server.write("etc/passwd.lock", `${stranger.pid}\0`);
    utimesSync(path.join(server.root, "etc/passwd.lock"), 1e9, 1e9);
    server.failWith({ ...LOCKED, times: 1 });
    expect(server.request(PUT).ok).toBe(true);
    stranger.kill();
    expect(server.read("etc/passwd.lock")).toBeUndefined();
  });

  test("any other message is final", () => {
    server.failWith({ program: "useradd", status: 1, stderr: "useradd: cannot open /etc/passwd", times: 1 });
    expect(server.request(PUT).error).toMatchObject({
      code: "failed",
      message: expect.stringContaining("cannot open"),
    });
    expect(sleeps()).toEqual([]);
  });
});

describe("account.remove", () => {
  test("takes the way in first, then ends sessions, then the account, and the uid's sessions once more", () => {
    server.request(PUT);
    server.request({ ...PUT, user: "bob", target: "10.0.3.11" });
    const before = server.calls().length;
    expect(server.request({ op: "account.remove", user: "alice" }).result).toEqual({ removed: true });
    expect(
      server
        .calls()
        .slice(before)
        .map((call) => call.slice(0, 2)),
    ).toEqual([
      ["end_processes", 70000],
      ["userdel", "alice"],
      ["end_processes", 70000],
      ["nft", "-f"],
    ]);
    expect(server.read(KEYS_FILE)).toBeUndefined();
    expect(server.read("etc/containarium/nftables.d/jump-targets.nft")).not.toContain("70000");
    expect(server.request({ op: "account.list" }).result.accounts).toMatchObject([{ user: "bob" }]);
  });

  test("of nobody is no error, and clears what a killed run left", () => {
    server.request(PUT);
    server.write("etc/passwd", server.read("etc/passwd")!.replace(/^alice.*\n/m, ""));
    expect(server.request({ op: "account.remove", user: "alice" }).result).toEqual({ removed: false });
    expect(server.read(KEYS_FILE)).toBeUndefined();
    expect(server.read("etc/containarium/nftables.d/jump-targets.nft")).not.toContain("70000");
  });

  test("finishes what a killed userdel began", () => {
    server.request(PUT);
    server.write("etc/passwd", server.read("etc/passwd")!.replace(/^alice.*\n/m, ""));
    server.request({ op: "account.remove", user: "alice" });
    expect(server.read("etc/shadow")).not.toContain("alice");
    expect(server.read("etc/passwd")).not.toContain("alice");
  });

  test("tries again when somebody logs in at the last moment", () => {
    server.request(PUT);
    server.failWith({
      program: "userdel",
      status: 8,
      stderr: "userdel: user alice is currently used by process 7",
      times: 2,
    });
    expect(server.request({ op: "account.remove", user: "alice" }).result).toEqual({ removed: true });
  });
});

describe("account.endSessions", () => {
  test("ends who is logging in, then who is in; the way in stays as it is", () => {
    server.request(PUT);
    const before = { calls: server.calls().length, keys: server.read(KEYS_FILE), passwd: server.read("etc/passwd") };
    expect(server.request({ op: "account.endSessions", user: "alice" }).result).toEqual({ ended: 0 });
    expect(server.calls().slice(before.calls)).toEqual([
      ["end_logins", "alice"],
      ["end_processes", 70000],
    ]);
    expect(server.read(KEYS_FILE)).toBe(before.keys);
    expect(server.read("etc/passwd")).toBe(before.passwd);
  });

  test("of nobody is no error; of an account that is not ours a conflict", () => {
    expect(server.request({ op: "account.endSessions", user: "alice" }).result).toEqual({ ended: 0 });
    expect(server.request({ op: "account.endSessions", user: "boss" }).error?.code).toBe("conflict");
    expect(server.calls()).toEqual([]);
  });
});

test("account.list shows address and keys as they were given, without the probe", () => {
  server.request({ ...PUT, keys: [KEY, OTHER] });
  expect(server.request({ op: "account.list" }).result).toEqual({
    accounts: [{ user: "alice", uid: 70000, target: "10.0.3.10", keys: [KEY, OTHER], home: "here" }],
  });
});

test("ssh.probe names who greets: not the silent one, nor who does not run, nor a stranger to SSH", async () => {
  const greetings = { "127.0.7.10": "SSH-2.0-OpenSSH", "127.0.7.11": "", "127.0.7.12": "SSH-2.0-OpenSSH", "127.0.7.13": "220 mail" }; // prettier-ignore
  const listeners = `
import json, socket, sys, threading
port, all, kept = 0, [], []
for address, greeting in json.loads(sys.argv[1]).items():
    all.append((socket.create_server((address, port)), greeting))
    port = all[0][0].getsockname()[1]
def greet(listener, greeting):
    while True:
        connection = listener.accept()[0]
        connection.sendall(greeting.encode())
        kept.append(connection)
for one in all:
    threading.Thread(target=greet, args=one, daemon=True).start()
print(port, flush=True)
sys.stdin.read()`;
  const listening = spawn("python3", ["-c", listeners, JSON.stringify(greetings)]);
  const [port] = (await once(listening.stdout, "data")) as [Buffer];
  server.write("ssh-port", port.toString());
  server.write("etc/containarium/server.json", JSON.stringify({ ...JSON.parse(server.read("etc/containarium/server.json")!), containerSubnet: "127.0.7.0/24" })); // prettier-ignore
  const people = Object.entries({ alice: 10, mute: 11, off: 12, mail: 13 });
  for (const [user, last] of people) server.request({ ...PUT, user, target: `127.0.7.${last}` });
  for (const name of ["alice", "mute", "mail"]) server.write(`sys/fs/cgroup/lxc.payload.${name}-container/cgroup.procs`, ""); // prettier-ignore
  const { result } = server.request({ op: "ssh.probe" });
  // First: a listener that stays would keep Jest from its end.
  listening.kill();
  expect(result).toEqual({ answers: ["127.0.7.10"] });
});

describe("rebuild", () => {
  const instance = (user: string, target: unknown, keys: unknown = [KEY], name = `${user}-container`) => ({
    name,
    config: { "user.containarium.user": user, "user.containarium.keys": JSON.stringify(keys) },
    devices: { eth0: { type: "nic", "ipv4.address": target } },
  });

  test("makes the accounts that Incus knows, removes ours that it does not, and leaves the rest", async () => {
    server.request({ ...PUT, user: "gone", target: "10.0.3.99" });
    const instances = [
      instance("alice", "10.0.3.10"),
      // Incus knows no underscore in names.
      instance("bob_by", "10.0.3.11", [OTHER], "bob-by-container"),
      { name: "tool", config: {} },
    ];
    await server.withIncus(instances, () => {
      expect(server.request({ op: "rebuild" }).result).toEqual({ accounts: 2, changed: 2, removed: 1, skipped: [] });
      expect(server.request({ op: "rebuild" }).result).toEqual({ accounts: 2, changed: 0, removed: 0, skipped: [] });
    });
    expect(server.request({ op: "account.list" }).result.accounts).toMatchObject([
      { user: "alice", target: "10.0.3.10", keys: [KEY] },
      { user: "bob_by", target: "10.0.3.11", keys: [OTHER] },
    ]);
    expect(server.read("etc/passwd")).toContain("boss:x:1000");
  });

  test("leaves no account to whoever lost the container while the account files were waited for", async () => {
    const instances = [instance("alice", "10.0.3.10"), { ...instance("bob", "10.0.3.11"), vanishes: true }];
    await server.withIncus(instances, () => {
      expect(server.request({ op: "rebuild" }).result).toMatchObject({ accounts: 1, removed: 1, skipped: [] });
    });
    expect(server.read("etc/passwd")).not.toContain("bob");
    expect(server.request({ op: "account.list" }).result.accounts).toMatchObject([{ user: "alice" }]);
  });

  test("one bad entry is skipped with its reason and keeps nobody out, nor loses whom it concerns", async () => {
    server.request(PUT);
    const instances = [
      instance("alice", undefined),
      instance("bob", "10.0.3.11"),
      instance("boss", "10.0.3.12"),
      instance("carol", "10.0.3.13", ["no key"]),
      instance("bob", "10.0.3.14", [KEY], "another-container"),
      instance("x;id", "10.0.3.15"),
    ];
    await server.withIncus(instances, () => {
      const { result } = server.request({ op: "rebuild" });
      expect(result).toMatchObject({ accounts: 2, changed: 1, removed: 0 });
      expect(result.skipped.map((entry) => entry.instance).sort()).toEqual([
        "alice-container",
        "another-container",
        "boss-container",
        "carol-container",
        "x;id-container",
      ]);
    });
    expect(server.request({ op: "account.list" }).result.accounts).toMatchObject([
      { user: "alice", target: "10.0.3.10" },
      { user: "bob", target: "10.0.3.11" },
    ]);
  });

  test("whose instance Incus only names in its list keeps the account; whose account was removed does not get it back", async () => {
    server.request({ ...PUT, user: "dora_b", target: "10.0.3.13" });
    server.request({ ...PUT, user: "emil", target: "10.0.3.14" });
    server.request({ op: "account.remove", user: "emil" });
    const unlisted = (user: string, target: string) => ({ ...instance(user, target), unlisted: true });
    const unreadable = (name: string) => ({ name, unlisted: true });
    const instances = [unlisted("alice", "10.0.3.10"), unreadable("dora-b-container"), unreadable("emil-container")];
    await server.withIncus(instances, () => {
      const { result } = server.request({ op: "rebuild" });
      expect(result.skipped).toMatchObject([
        { instance: "dora-b-container", reason: "Incus cannot read dora-b-container" },
        { instance: "emil-container" },
      ]);
    });
    await server.withIncus(
      [
        instance("alice", "10.0.3.10"),
        instance("emil", "10.0.3.14"),
        instance("dora_b", "10.0.3.13", [KEY], "dora-b-container"),
      ],
      () => void server.request({ op: "rebuild" }),
    );
    expect(server.request({ op: "account.list" }).result.accounts.map(({ user }) => user)).toEqual(["alice", "dora_b"]);
  });

  test("while a restore of a snapshot is not completed, the keys from before it hold, and no older ones", async () => {
    const madeAt = (user: string, createdAt: string) => {
      const one = instance(user, user === "alice" ? "10.0.3.10" : "10.0.3.11", [KEY, OTHER]);
      return { ...one, config: { ...one.config, "user.containarium.created-at": createdAt } };
    };
    const mark = { createdAt: "now", snapshot: "then", running: true, devices: {}, config: { "user.containarium.keys": JSON.stringify([KEY]) } }; // prettier-ignore
    const marks = ["alice", "bob"].map((user) => [
      `user.containarium.restoring.${user}-container`,
      JSON.stringify(mark),
    ]);
    server.write("incus-config.json", JSON.stringify(Object.fromEntries(marks)));
    // The mark of an earlier bob is none of this one's.
    await server.withIncus(
      [madeAt("alice", "now"), madeAt("bob", "later")],
      () => void server.request({ op: "rebuild" }),
    );
    expect(server.request({ op: "account.list" }).result.accounts).toMatchObject([
      { user: "alice", keys: [KEY] },
      { user: "bob", keys: [KEY, OTHER] },
    ]);
  });

  test("changes nothing while Incus is silent", () => {
    server.request(PUT);
    const before = server.snapshot();
    expect(server.request({ op: "rebuild" }).error).toMatchObject({
      code: "failed",
      message: expect.stringContaining("Incus"),
    });
    expect(server.snapshot()).toEqual(before);
  });
});

test("server.status tells the applied hash, and works while Incus is silent", () => {
  expect(server.request({ op: "server.status" }).result).toMatchObject({ ready: false, startupHash: "", accounts: 0 });
  server.write("run/containarium/ready", '{"schema":1,"startupHash":"abc"}');
  server.request(PUT);
  const { result } = server.request({ op: "server.status" });
  expect(result).toMatchObject({ name: "jump-1", schema: 1, ready: true, startupHash: "abc", accounts: 1 });
  expect(result.memory.totalBytes).toBeGreaterThan(result.memory.availableBytes);
  expect(result.pool.totalBytes).toBeGreaterThan(result.pool.usedBytes);
});

describe("server.die", () => {
  const die = (name: unknown) => server.request({ op: "server.die", name });

  test("ends a system container, which comes back by itself", () => {
    expect(die("jump-1").result).toEqual({ ends: "restart" });
    expect(server.calls()).toContainEqual(["end_machine", "restart"]);
  });

  test("switches a Spot VM off: somebody starts it again", () => {
    server.failWith({ program: "systemd-detect-virt", status: 1, stderr: "", times: 1 });
    expect(die("jump-1").result).toEqual({ ends: "power-off" });
  });

  test.each(["jump-2", "", null, ["jump-1"]])("refuses to end for %j: it is another server", (name) => {
    expect(die(name).error).toMatchObject({ code: "invalid" });
    expect(server.calls().flat()).not.toContain("end_machine");
  });
});

test("server.boot tells boots apart", () => {
  expect(server.request({ op: "server.boot" }).result).toEqual({ boot: expect.stringMatching(/^\S+-\d+$/) });
});
