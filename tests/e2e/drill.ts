import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import * as path from "node:path";

import { until } from "../until";
import { run } from "./clone";
import type { TestFleet } from "./fleet";
import { expectNoChanges } from "./people";

/** A server that ends without notice, and one that ends with some. Needs the fleet's first server; leaves nobody behind. */
export function drill(fleet: TestFleet): void {
  const users = ["drill-a", "drill-b", "drill-c", "drill-d", "drill-e", "drill-f"];
  const [first = ""] = users;
  let config = "";
  const login = (user: string, file = config) => fleet.ssh([`${user}-dev`, "whoami"], file);
  const inside = (user: string, script: string) =>
    fleet.onServer(["incus", "exec", `${user}-container`, "--", "sh", "-c", script]);

  beforeAll(async () => {
    for (const user of users) fleet.newKey(user);
    const rows = users.map((user) => `${user},${user}.pub,256MiB,2GB,jump-1`);
    writeFileSync(path.join(fleet.clone, "drill.csv"), ["user,key,memory,disk_quota,server", ...rows].join("\n"));
    await fleet.ops(["create", "--from", "drill.csv"]);
    // Whom a run failed for is made by another; what a whole class at once must do is no matter of this chapter.
    const there = new Set((await fleet.list()).map(({ user }) => user));
    for (const user of users.filter((one) => !there.has(one))) {
      await fleet.ops(["create", user, "--ssh-key", `${user}.pub`, "--memory", "256MiB", "--server", "jump-1"]);
    }
    config = await fleet.exported(first);
  });
  afterAll(() => fleet.ops(["delete", ...users, "--force"]));

  test("drill preempt: everybody is back with all that was acknowledged, and with the same keys", async () => {
    expect((await login(first)).stdout).toBe(`${first}\n`);
    // Older than what is being written, so that it is in the sample.
    await inside(first, `echo precious > /home/${first}/note; touch -d '1 hour ago' /home/${first}/note`);
    const { code, stdout, stderr } = await fleet.ops(["drill", "preempt", "--servers", "1", "--yes", "--json"]);
    expect({ code, said: code === 0 ? "" : stderr }).toEqual({ code: 0, said: "" });
    const { drills, failures } = JSON.parse(stdout);
    expect(failures).toEqual([]);
    expect(drills).toHaveLength(1);
    expect(drills[0]).toMatchObject({
      server: "jump-1",
      ended: "restart",
      lost: 0,
      changed: 0,
      notBack: 0,
      unproven: 0,
    });
    const people = drills[0].people as { user: string; acknowledged: number; kept: number; homeFiles: number }[];
    expect(people.map(({ user }) => user)).toEqual(expect.arrayContaining(users));
    for (const { acknowledged, kept, homeFiles } of people) {
      expect(acknowledged).toBeGreaterThanOrEqual(3);
      expect(kept).toBe(acknowledged);
      expect(homeFiles).toBeGreaterThan(0);
    }
    // The file that was exported before pins both hops.
    expect((await login(first)).stdout).toBe(`${first}\n`);
    expect((await inside(first, "ls -d /var/lib/containarium-drill; systemctl is-active containarium-drill")).stdout).toBe("inactive\n"); // prettier-ignore
  });

  test("a server that is stopped in order tells people, is down within 30 s, and everybody is back", async () => {
    const session = spawn("ssh", ["-tt", "-F", config, "-o", "BatchMode=yes", `${first}-dev`, "echo in; exec cat"]);
    let seen = "";
    session.stdout.on("data", (data: Buffer) => (seen += data.toString()));
    const ended = once(session, "close");
    await until(async () => seen.includes("in"), 30, "the session");
    await inside(first, "echo saved > /root/saved");

    const { code, seconds } = await run(["incus", "stop", fleet.machine], { cwd: "/" });
    expect(code).toBe(0);
    expect(seconds).toBeLessThan(30);
    await ended;
    expect(seen).toContain("save your work now");

    await run(["incus", "start", fleet.machine], { cwd: "/" });
    await until(async () => (await fleet.onServer(["test", "-e", "/run/containarium/ready"])).code === 0, 180, "ready");
    expect((await login(first)).stdout).toBe(`${first}\n`);
    expect((await inside(first, "cat /root/saved")).stdout).toBe("saved\n");
    const listed = await fleet.list();
    expect(listed.filter(({ user }) => users.includes(user)).map(({ status }) => status)).toEqual(users.map(() => "running")); // prettier-ignore
    const journal = await fleet.onServer(["journalctl", "-u", "containarium-drain", "-o", "cat", "--no-pager"]);
    expect(journal.stdout).toMatch(/[1-9]\d* terminals told, [6-9]\d* containers stopped, \d/);
    await expectNoChanges(fleet);
  });

  test("the firewall may be restarted: nobody's container stops. What Incus asks before it starts fails without it", async () => {
    const sh = (script: string) => fleet.onServer(["sh", "-c", script]);
    const incusPid = async () => (await sh("systemctl show -p MainPID incus.service")).stdout;
    const before = await incusPid();
    expect((await sh("systemctl restart containarium-firewall.service")).code).toBe(0);
    expect(await incusPid()).toBe(before);
    expect((await login(first)).stdout).toBe(`${first}\n`);

    // As systemd has it loaded, but for the start itself: that would end people's sessions here.
    const asked = await sh("systemctl cat incus.service | sed -n 's/^ExecStartPre=//p' | grep nft");
    expect(asked.stdout).toContain("nft list table");
    expect((await sh(asked.stdout)).code).toBe(0);
    // The fleet's service would put the table back at once.
    await sh("systemctl kill -s STOP containarium-fleet; nft delete table inet containarium");
    const without = await sh(asked.stdout);
    await sh("systemctl restart containarium-firewall; systemctl kill -s CONT containarium-fleet");
    expect(without.code).not.toBe(0);
    expect((await sh(asked.stdout)).code).toBe(0);
  });

  test("a startup that failed is tried again by itself, until it is through", async () => {
    const part = "/usr/local/lib/containarium/fail2ban-jail.local";
    await fleet.onServer(["mv", part, `${part}.away`]);
    const ready = async () => (await fleet.onServer(["test", "-e", "/run/containarium/ready"])).code === 0;
    try {
      expect((await fleet.onServer(["systemctl", "restart", "containarium-startup.service"])).code).not.toBe(0);
      expect(await ready()).toBe(false);
    } finally {
      await fleet.onServer(["mv", `${part}.away`, part]);
    }
    await until(ready, 120, "the startup's next try");
    expect((await login(first)).stdout).toBe(`${first}\n`);
  });

  test("drill preempt: what it does not know, it does not end", async () => {
    const boot = () => fleet.onServer(["stat", "-c", "%Y", "/proc/1"]);
    const before = (await boot()).stdout;
    expect((await fleet.ops(["drill", "preempt", "--server", "jump-77", "--yes"])).code).toBe(2);
    expect((await fleet.ops(["drill", "preempt"])).code).toBe(2);
    const die = await fleet.onServer(["/usr/local/sbin/containarium-host"], '{"op":"server.die","name":"jump-77"}');
    expect(JSON.parse(die.stdout).error).toMatchObject({ code: "invalid" });
    expect((await boot()).stdout).toBe(before);
  });
}
