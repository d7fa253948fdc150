import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import type { AuditEvent, Session, ServerBan, ServerBanEvent } from "../../ops";
import { waitFor } from "../../ops";
import { stack } from "./clone";
import type { TestFleet } from "./fleet";
import { expectNoChanges } from "./people";

/** Another place on the internet, as the first server sees it: a network namespace in its machine. */
const stranger = { name: "stranger", address: "198.51.100.9", server: "198.51.100.1" };

function asking(fleet: TestFleet) {
  /** Of a command with `--json`, whose exit code is 0. */
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await fleet.ops([...args, "--json"]);
    expect({ args, code, stderr: code === 0 ? "" : stderr }).toEqual({ args, code: 0, stderr: "" });
    return JSON.parse(stdout) as T;
  };
  const events = async (...args: string[]) => (await json<{ events: AuditEvent[] }>("audit", ...args)).events;
  return { json, events };
}

/** What happens is on record: Ada's logins, a stranger's guesses, and what administrators do. Leaves Ada behind. */
export function audit(fleet: TestFleet): void {
  const { json, events } = asking(fleet);
  const key = (name: string) => path.join(fleet.clone, name);
  let config = "";
  let address = "";

  const unknownHost = "-F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null";
  const inStranger = (script: string) =>
    fleet.onServer(["ip", "netns", "exec", stranger.name, "timeout", "10", "bash", "-c", script]);
  const banner = async () =>
    (await inStranger(`exec 3<>/dev/tcp/${stranger.server}/22 && head -c 4 <&3`)).stdout.slice(0, 4);

  beforeAll(async () => {
    for (const name of ["ada", "wrong"]) fleet.newKey(name);
    const created = await json<{ containers: { ip: string }[] }>("create", "ada", "--ssh-key", "ada.pub");
    address = created.containers[0]!.ip;
    config = await fleet.exported("ada");
    const link = `
      ip netns add ${stranger.name}
      ip link add stranger-in type veth peer name stranger-out netns ${stranger.name}
      ip -n ${stranger.name} address add ${stranger.address}/24 dev stranger-out
      ip -n ${stranger.name} link set stranger-out up
      ip address add ${stranger.server}/24 dev stranger-in
      ip link set stranger-in up`;
    expect(await fleet.onServer(["sh", "-ec", link])).toMatchObject({ code: 0 });
    await waitFor(async () => (await banner()) === "SSH-", { timeoutMs: 60_000, what: "the stranger's way" });
  });
  afterAll(async () => {
    await fleet.onServer([
      "sh",
      "-c",
      `ip netns del ${stranger.name}; rm -f /run/ada-key; fail2ban-client unban ${stranger.address}`,
    ]);
  });

  test("a login, at the jump account and at the only place that it can reach; a login that failed", async () => {
    expect((await fleet.ssh(["ada-dev", "whoami"], config)).stdout).toBe("ada\n");
    const wrong = path.join(fleet.clone, "ada-wrong.conf");
    writeFileSync(
      wrong,
      readFileSync(config, "utf8").replaceAll(`IdentityFile ${key("ada")}`, `IdentityFile ${key("wrong")}`),
    );
    const refused = await fleet.ssh(["ada-jump", "true"], wrong);
    expect(refused.stderr).toContain("Permission denied");

    const all = await waitFor(
      async () => {
        const seen = await events("ada", "--since", "1h");
        return seen.some(({ event }) => event === "failed-login") && seen;
      },
      { timeoutMs: 30_000, what: "the failed login to be on record" },
    );
    const login = all.find((event) => event.event === "login");
    const inside = all.find((event) => event.event === "container-login" && event.time >= (login?.time ?? ""));
    expect(login).toMatchObject({ server: "jump-1", user: "ada", target: address, endedAt: expect.any(String) });
    // Through the server, with the same key.
    expect(inside).toMatchObject({
      user: "ada",
      address: address.replace(/\d+$/, "1"),
      key: login?.event === "login" && login.key,
    });
    expect(all).toContainEqual(
      expect.objectContaining({ event: "failed-login", user: "ada", reason: "no accepted key" }),
    );
    // The check of her way in is no login of hers.
    expect(all.filter((event) => event.event === "login")).toHaveLength(1);
  });

  test("a name that imitates a log line is a name, with the address that it came from", async () => {
    const name = "eve from 203.0.113.1 port 22";
    await inStranger(`ssh ${unknownHost} -l "${name}" ${stranger.server} true`);
    const guess = await waitFor(async () => (await events("--only", "failures")).find(({ user }) => user === name), {
      timeoutMs: 30_000,
      what: "the guess to be on record",
    });
    expect(guess).toMatchObject({ address: stranger.address, reason: "unknown user" });
    const csv = await fleet.ops(["audit", "--only", "failures", "--csv"]);
    expect(csv.stdout).toMatch(/^time,ended_at,server,event,user,/);
    expect(csv.stdout).toContain(`,failed-login,${name},${stranger.address},`);
  });

  test("operations have one begin and one end; one that was killed has no end", async () => {
    const operations = async () =>
      (await events("ada", "--only", "operations")).flatMap((event) => (event.event === "operation" ? [event] : []));
    expect(await operations()).toMatchObject([
      { operation: "create", result: "done", by: "admin", address: expect.any(String) },
    ]);

    const words = ["containarium-ops", "restart", "ada", "--verbose", "--stack", stack];
    const killed = spawn("npx", words, { cwd: fleet.clone, detached: true });
    await said(killed, /"op":"audit.begin"/);
    process.kill(-(killed.pid ?? 0), "SIGKILL");
    expect((await operations()).at(-1)).toMatchObject({ operation: "restart", result: "not-ended" });
    expect((await fleet.ops(["restart", "ada"])).code).toBe(0);
    expect((await operations()).map(({ operation, result }) => `${operation} ${result}`)).toEqual([
      "create done",
      "restart not-ended",
      "restart done",
    ]);
    expect((await fleet.ops(["keys", "remove", "ada", "--key", "nobody@nowhere"])).code).toBe(3);
    expect((await operations()).at(-1)).toMatchObject({ operation: "keys remove", result: "failed" });
  });

  test("sessions: who is connected, from where, to where, until it is closed", async () => {
    const session = spawn("ssh", ["-F", config, "-o", "BatchMode=yes", "ada-dev", "echo in; sleep 300"]);
    await said(session, /in/);
    const live = (await json<{ sessions: Session[] }>("sessions", "ada")).sessions;
    expect(live).toEqual([
      expect.objectContaining({ user: "ada", server: "jump-1", target: address, openTo: [address] }),
    ]);
    expect(live[0]!.key).toMatch(/^ED25519 SHA256:/);
    session.kill();
    await waitFor(async () => (await json<{ sessions: Session[] }>("sessions", "ada")).sessions.length === 0, {
      timeoutMs: 30_000,
      what: "the session to be gone",
    });
  });

  test("bans: the address is out, in the firewall and really, and in again; others are not touched", async () => {
    expect((await fleet.ops(["bans", "add", "127.0.0.1"])).code).toBe(4);
    const sessionsFromThere = async () =>
      (await json<{ sessions: Session[] }>("sessions", "ada")).sessions.filter(
        (one) => one.address === stranger.address,
      );
    // Ada herself, from there.
    await fleet.onServer(["sh", "-c", "umask 077; cat > /run/ada-key"], readFileSync(key("ada"), "utf8"));
    await inStranger(
      `setsid timeout 120 ssh ${unknownHost} -i /run/ada-key -N -l ada ${stranger.server} &>/dev/null &`,
    );
    await waitFor(async () => (await sessionsFromThere()).length === 1, {
      timeoutMs: 30_000,
      what: "a session from there",
    });
    const { bans } = await json<{ bans: ServerBan[] }>("bans", "add", stranger.address, "--for", "2h");
    expect(await sessionsFromThere()).toEqual([]);
    expect(bans).toMatchObject([{ address: stranger.address, by: "administrator", enforced: true }]);
    expect(await banner()).toBe("");
    expect((await fleet.ssh(["ada-dev", "whoami"], config)).stdout).toBe("ada\n");
    const table = await fleet.onServer(["nft", "list", "table", "inet", "f2b-table"]);
    expect(table.stdout).toContain(stranger.address);

    // As after a reboot: fail2ban knows it from the data disk, with its length.
    await fleet.onServer(["systemctl", "restart", "fail2ban"]);
    const again = await waitFor(
      async () => (await json<{ bans: ServerBan[] }>("bans", "list")).bans.find(({ enforced }) => enforced),
      { timeoutMs: 60_000, what: "the ban to be there again" },
    );
    expect(again).toMatchObject({
      address: stranger.address,
      until: expect.stringContaining(bans[0]!.until!.slice(0, 15)),
    });

    await json("bans", "remove", stranger.address);
    expect(await banner()).toBe("SSH-");
    const { history } = await json<{ history: ServerBanEvent[] }>("bans", "history");
    expect(history.map(({ event, address }) => `${event} ${address}`)).toEqual([
      `banned ${stranger.address}`,
      `lifted ${stranger.address}`,
    ]);
  });

  test("status: health, and who came today", async () => {
    const { stdout, code } = await fleet.ops(["status"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/jump-1 +well/);
    expect(stdout).toMatch(/Users today[^]*\bada +[1-9]\b/);
    await expectNoChanges(fleet);
  });
}

/** After the machine with its journal was thrown away. Takes Ada away. */
export function auditOutlivesTheMachine(fleet: TestFleet): void {
  const { json, events } = asking(fleet);

  test("logins, failed logins, operations and bans of the machine that is gone", async () => {
    const journal = await fleet.onServer(["journalctl", "-q", "--no-pager", "-o", "cat", "-t", "sshd-session"]);
    expect(journal.stdout).not.toContain("eve from");
    const seen = (await events("--since", "1d")).map(({ event, user }) => `${event} ${user}`);
    expect(seen).toEqual(
      expect.arrayContaining(["login ada", "failed-login eve from 203.0.113.1 port 22", "operation ada"]),
    );
    const { history } = await json<{ history: ServerBanEvent[] }>("bans", "history");
    expect(history.map(({ address }) => address)).toContain(stranger.address);
    expect((await fleet.ops(["delete", "ada", "--force"])).code).toBe(0);
    expect((await events("ada", "--only", "operations")).at(-1)).toMatchObject({ operation: "delete", result: "done" });
  });
}

/** Until the program has said that. */
function said(program: ChildProcess, what: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    const listen = (data: Buffer): void => {
      text += data.toString();
      if (what.test(text)) resolve();
    };
    program.stdout?.on("data", listen);
    program.stderr?.on("data", listen);
    program.on("close", () => reject(new Error(`it ended and did not say ${what}: ${text}`)));
  });
}
