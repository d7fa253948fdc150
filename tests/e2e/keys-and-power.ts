import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { stack } from "./clone";
import type { TestFleet } from "./fleet";
import { expectNoChanges } from "./people";

/** Kate's keys, and the power switch of her container. Needs the fleet's first server; leaves nobody behind. */
export function keysAndPower(fleet: TestFleet): void {
  const file = (name: string) => path.join(fleet.clone, name);
  const ops = async (...args: string[]) => {
    const result = await fleet.ops(args);
    expect({ args, ...result, code: result.code }).toMatchObject({ code: 0 });
    return result;
  };
  const login = (config: string) => fleet.ssh(["kate-dev", "whoami"], config);
  /** The keys at both hops and in Incus' record, by comment. */
  const everywhere = async () => {
    const { stdout } = await fleet.onServer([
      "sh",
      "-c",
      "incus config get kate-container user.containarium.keys; echo; incus file pull kate-container/etc/ssh/authorized_keys.d/kate -; echo; cat /etc/ssh/containarium/authorized_keys.d/kate",
    ]);
    return stdout.split("\n\n").map((text) => [...new Set(text.match(/\bkate[0-9]?@laptop/g) ?? [])].sort());
  };
  let first = "";
  let second = "";

  beforeAll(async () => {
    for (const name of ["kate", "kate2"]) fleet.newKey(name);
    await ops("create", "kate", "--ssh-key", "kate.pub");
    first = await fleet.exported("kate");
    // The same way, with the other key; and a way on which each hop has a key of its own.
    second = file("kate2.conf");
    writeFileSync(
      second,
      readFileSync(first, "utf8").replaceAll(file("kate"), file("kate2")).replaceAll("kate2.conf.", "kate.conf."),
    );
  });
  afterAll(() => fleet.ops(["delete", "kate", "--force"]));

  test("keys add: the other key opens both hops, the stack knows it", async () => {
    expect((await login(second)).code).toBe(255);
    await ops("keys", "add", "kate", "--ssh-key", "kate2.pub");
    expect((await login(second)).stdout).toBe("kate\n");
    expect((await login(first)).stdout).toBe("kate\n");
    expect((await ops("keys", "list", "kate")).stdout).toMatch(/kate@laptop[^]*kate2@laptop/);
    await expectNoChanges(fleet);
  });

  test("keys remove of a lost key: its session is cut, both hops refuse it, the other key works", async () => {
    const session = spawn("ssh", ["-F", first, "-o", "BatchMode=yes", "kate-dev", "echo in; sleep 300"]);
    const ended = new Promise((resolve) => session.on("close", resolve));
    await new Promise((resolve) => session.stdout.once("data", resolve));
    await ops("keys", "remove", "kate", "--key", "kate@laptop");
    await ended;
    expect((await fleet.ssh(["kate-jump", "true"], first)).stderr).toContain("Permission denied (publickey)");
    // At the container: through the jump with the good key, to the container with the lost one.
    const mixed = file("kate-mixed.conf");
    const [jump = "", dev = ""] = readFileSync(second, "utf8").split("\n\n");
    writeFileSync(mixed, `${jump}\n\n${dev.replaceAll(file("kate2"), file("kate"))}\n`);
    const atContainer = await login(mixed);
    expect(atContainer.stderr).toMatch(/kate@10\.0\.\d+\.\d+: Permission denied \(publickey\)/);
    expect((await login(second)).stdout).toBe("kate\n");
    expect(await everywhere()).toEqual([["kate2@laptop"], ["kate2@laptop"], ["kate2@laptop"]]);
    expect(fleet.config()).not.toContain("kate@laptop");
    await expectNoChanges(fleet);
  });

  test("the last key, an unknown one and a private one: exit codes, nothing changed", async () => {
    const before = await fleet.everything();
    expect((await fleet.ops(["keys", "remove", "kate", "--key", "kate2@laptop"])).code).toBe(2);
    expect((await fleet.ops(["keys", "remove", "kate", "--key", "nobody@nowhere"])).code).toBe(3);
    expect((await fleet.ops(["keys", "add", "kate", "--ssh-key", "kate2"])).code).toBe(2);
    expect(await fleet.everything()).toEqual(before);
    expect(await everywhere()).toEqual([["kate2@laptop"], ["kate2@laptop"], ["kate2@laptop"]]);
  });

  test("a run that is killed between the hops and the end is completed by running it again", async () => {
    await ops("keys", "add", "kate", "--ssh-key", "kate.pub");
    const words = ["containarium-ops", "keys", "remove", "kate", "--key", "kate2.pub", "--stack", stack];
    const killed = spawn("npx", [...words, "--verbose"], { cwd: fleet.clone, detached: true });
    await new Promise<void>((resolve) => {
      let said = "";
      killed.stderr.on("data", (data: Buffer) => {
        said += data.toString();
        if (/"op":"account.put"/.test(said)) resolve();
      });
      killed.on("close", () => resolve());
    });
    process.kill(-(killed.pid ?? 0), "SIGKILL");
    const marked = await fleet.onServer(["incus", "config", "get", "kate-container", "user.containarium.stale-keys"]);
    await ops("keys", "remove", "kate", "--key", "kate2.pub");
    expect(await everywhere()).toEqual([["kate@laptop"], ["kate@laptop"], ["kate@laptop"]]);
    const after = await fleet.onServer(["incus", "config", "get", "kate-container", "user.containarium.stale-keys"]);
    expect([marked.code, after.stdout.trim()]).toEqual([0, ""]);
    await expectNoChanges(fleet);
  });

  test("replace in one step; the last one by force locks out, and the stack agrees", async () => {
    await ops("keys", "replace", "kate", "--ssh-key", "kate2.pub");
    expect(await everywhere()).toEqual([["kate2@laptop"], ["kate2@laptop"], ["kate2@laptop"]]);
    await ops("keys", "remove", "kate", "--key", "kate2@laptop", "--force");
    expect((await login(second)).code).toBe(255);
    await expectNoChanges(fleet);
    await ops("keys", "add", "kate", "--ssh-key", "kate.pub");
    expect((await login(first)).stdout).toBe("kate\n");
  });

  test("stop, start, restart: SSH goes and comes back, with the same keys and host key", async () => {
    const status = async () => (await fleet.list()).find(({ user }) => user === "kate")?.status;
    await ops("stop", "kate");
    expect([await status(), (await login(first)).code]).toEqual(["stopped", 255]);
    await ops("start", "kate");
    // A start is done when SSH answers: no waiting here.
    expect([(await login(first)).stdout, await status()]).toEqual(["kate\n", "running"]);
    await ops("restart", "kate");
    expect((await login(first)).stdout).toBe("kate\n");
    await expectNoChanges(fleet);
  });

  test("a process of Incus' for files that nobody reaches is ended", async () => {
    await ops("keys", "add", "kate", "--ssh-key", "kate2.pub");
    // As when one such process takes the name of the next one's socket with it.
    await fleet.onServer(["rm", "/run/incus/kate-container/forkfile.sock"]);
    const { stderr } = await ops("keys", "replace", "kate", "--ssh-key", "kate.pub", "--verbose");
    expect(stderr).toContain('"op":"files.mend"');
    expect(await everywhere()).toEqual([["kate@laptop"], ["kate@laptop"], ["kate@laptop"]]);
  });

  test("a stop that its programs ignore is made by force after its limit", async () => {
    const deaf =
      'systemd-run -q -p SendSIGKILL=no -p TimeoutStopSec=300 sh -c "trap : TERM; while :; do sleep 1; done"';
    await fleet.onServer(["incus", "exec", "kate-container", "--", "sh", "-c", deaf]);
    const { stderr, seconds } = await ops("stop", "kate", "--grace", "3");
    expect(stderr).toContain("by force");
    expect(seconds).toBeLessThan(60);
    await ops("start", "kate");
  });

  test("autostart and resize are seen inside, at once, and recorded", async () => {
    await ops("autostart", "kate", "off");
    await ops("resize", "kate", "--memory", "1GiB", "--cpu", "0.5", "--disk-quota", "5GB");
    const inside = await fleet.ssh(["kate-dev", "grep MemTotal /proc/meminfo"], first);
    expect(inside.stdout).toMatch(/ 1048576 kB/);
    expect(fleet.config()).toMatch(/user: kate[^]*autostart: false/);
    await expectNoChanges(fleet);
    const kate = (await fleet.list()).find(({ user }) => user === "kate");
    expect(kate).toMatchObject({ memory: "1GiB", cpu: 0.5, diskQuota: "5GB", autostart: false });
  });

  test("a resize below what is used is refused and changes nothing", async () => {
    const fill = "head -c 1500000000 /dev/urandom > big; sync";
    expect((await fleet.ssh(["kate-dev", fill], first)).code).toBe(0);
    const hold = "setsid python3 -c 'import time; a = bytearray(300 << 20); time.sleep(300)' >/dev/null 2>&1 & sleep 3";
    await fleet.ssh(["kate-dev", hold], first);
    const before = await fleet.everything();
    const disk = await fleet.ops(["resize", "kate", "--disk-quota", "1GB"]);
    expect([disk.code, disk.stderr]).toEqual([2, expect.stringContaining("of disk")]);
    const memory = await fleet.ops(["resize", "kate", "--memory", "256MiB"]);
    expect([memory.code, memory.stderr]).toEqual([2, expect.stringContaining("of memory")]);
    expect(await fleet.everything()).toEqual(before);
  });

  test("several at once: one unknown name, exit 8, the other is done", async () => {
    const { code, stdout } = await fleet.ops(["restart", "kate", "nobody-here", "--grace", "5"]);
    expect([code, stdout]).toEqual([8, expect.stringMatching(/^kate is running again/)]);
  });
}
