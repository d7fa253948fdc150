import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import * as path from "node:path";

import type { Container } from "../../ops/containers/container";
import { stack, succeed } from "./clone";
import type { TestFleet } from "./fleet";
import { everybodyComesBack } from "./herd";
import { expectNoChanges } from "./people";

/** Thirty at once, a large backup, and account files that somebody else holds. Needs two servers; leaves nobody behind. */
export function aClass(fleet: TestFleet): void {
  const people = Array.from({ length: 30 }, (_, index) => `pupil${index + 1}`);
  const servers = ["jump-1", "jump-2"];
  const sh = async (server: string, script: string) => (await fleet.on(server, ["sh", "-c", script])).stdout;
  const file = (name: string) => path.join(fleet.clone, name);

  /** All that a person leaves on a server, of whatever kind. */
  const traces = () =>
    Promise.all(
      servers.map((server) =>
        sh(
          server,
          "cat /etc/passwd /etc/group /etc/shadow | cut -d: -f1,3,4; ls /etc/ssh/containarium/authorized_keys.d;" +
            "incus list -f csv -c n; incus storage volume list default -f csv -c tn; incus network list-leases incusbr0 -f csv;" +
            "btrfs subvolume list / -o 2>/dev/null | wc -l; find /srv/containarium/pool -maxdepth 2 | sort;" +
            "cut -d' ' -f5 /proc/self/mountinfo | grep -v ^/run/user/ | sort; nft -s list table inet containarium",
        ),
      ),
    );

  let before: string[] = [];

  test("thirty people in one go over both servers: everybody is there, recorded, and gets in", async () => {
    before = await traces();
    for (const user of people) fleet.newKey(user);
    writeFileSync(
      file("class.csv"),
      `user,key,memory\n${people.map((user) => `${user},${user}.pub,512MiB`).join("\n")}\n`,
    );
    const created = await fleet.ops(["create", "--from", "class.csv", "--json"]);
    expect({ code: created.code, said: created.code === 0 ? "" : created.stderr }).toEqual({ code: 0, said: "" });
    const { containers } = JSON.parse(created.stdout) as { containers: Container[] };
    expect(containers.map(({ user }) => user).sort()).toEqual([...people].sort());
    expect(new Set(containers.map(({ ip }) => ip)).size).toBe(30);
    for (const name of servers)
      expect(containers.filter(({ server }) => server === name).length).toBeGreaterThanOrEqual(13);
    const listed = (await fleet.list()).filter(({ user }) => people.includes(user));
    expect(listed.map(({ status }) => status)).toEqual(people.map(() => "running"));
    for (const user of ["pupil1", "pupil30"]) {
      expect((await fleet.ssh([`${user}-dev`, "whoami"], await fleet.exported(user))).stdout).toBe(`${user}\n`);
    }
    await expectNoChanges(fleet);
  });

  test("a server ends, and all of its people are back in the same second, many times each and from one address: nobody fails or is banned", async () => {
    const there = (await fleet.list()).filter(({ user, server }) => people.includes(user) && server === "jump-1");
    const users = there.map(({ user }) => user);
    // What counts for the server is the number of connections; ten is as many as a container takes at the same moment.
    const herd = await everybodyComesBack(fleet, { server: "jump-1", people: users, each: 10 });
    expect(herd.logins).toBeGreaterThanOrEqual(130);
    expect(herd.failed).toEqual([]);
    expect(herd.banned).toBe("");
  });

  test("and thirty deletes leave nothing: accounts, networks, volumes, mounts and firewall are as before", async () => {
    const deleted = await fleet.ops(["delete", ...people, "--force", "--json"]);
    expect({ code: deleted.code, said: deleted.code === 0 ? "" : deleted.stderr }).toEqual({ code: 0, said: "" });
    expect(await traces()).toEqual(before);
    await expectNoChanges(fleet);
  });

  test("account files that are locked for 8 s are waited for", async () => {
    const free = await holdAccountFiles("jump-1", 8);
    const created = await fleet.ops(["create", "pupil1", "--ssh-key", "pupil1.pub", "--server", "jump-1"]);
    await free();
    expect({ code: created.code, said: created.code === 0 ? "" : created.stderr }).toEqual({ code: 0, said: "" });
    expect((await fleet.ssh(["pupil1-dev", "whoami"], await fleet.exported("pupil1"))).stdout).toBe("pupil1\n");
  });

  test("1 GiB of random data comes back on another server, for another person; the command stays small meanwhile. Account files that are locked for longer stop a create, which leaves nothing", async () => {
    // Longer than the server waits, however late the create comes to them.
    const free = await holdAccountFiles("jump-1", 180);
    // Both take minutes, and neither needs the other.
    const [late, restored] = await Promise.all([
      fleet.ops(["create", "pupil3", "--ssh-key", "pupil3.pub", "--server", "jump-1"]),
      throughABackup(),
    ]);
    await free();
    expect(late).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/cannot lock \/etc\/passwd.*held by .*python3/),
    });
    expect((await fleet.ops(["info", "pupil3"])).code).toBe(3);
    expect((await traces()).join()).not.toContain("pupil3");
    expect(restored.sums.after).toBe(restored.sums.before);
    expect(restored.container).toMatchObject({ user: "pupil2", server: "jump-2", status: "running" });
    expect(restored.peakKiB).toBeLessThan(150 * 1024);
    const gone = await fleet.ops(["delete", "pupil1", "pupil2", "--force"]);
    expect(gone.code).toBe(0);
    expect(await traces()).toEqual(before);
    await expectNoChanges(fleet);
  });

  async function throughABackup() {
    const inside = async (user: string, command: string) =>
      (await fleet.ssh([`${user}-dev`, command], await fleet.exported(user))).stdout;
    await inside("pupil1", "head -c 1073741824 /dev/urandom > data; echo kept > note; sync");
    const sums = { before: await inside("pupil1", "sha256sum data note"), after: "" };
    const peaks = [
      await peakOf(["backup", "pupil1", "-o", "large.tar.gz"]),
      await peakOf(["restore", "pupil2", "large.tar.gz", "--ssh-key", "pupil2.pub", "--server", "jump-2", "--json"]),
    ];
    sums.after = await inside("pupil2", "sha256sum data note");
    const container = (await fleet.list()).find(({ user }) => user === "pupil2");
    return { sums, container, peakKiB: Math.max(...peaks) };
  }

  /** The most memory that the command had at any moment, in KiB. */
  async function peakOf(args: string[]): Promise<number> {
    const report = "process.on('exit', () => process.stderr.write(`peak ${process.resourceUsage().maxRSS}\\n`))";
    writeFileSync(file("report-peak.cjs"), report);
    const command = ["node", "--require", file("report-peak.cjs"), "bin/containarium-ops", ...args, "--stack", stack];
    const { stderr } = await succeed(command, { cwd: fleet.clone, timeoutMs: 400_000 });
    return Number(/^peak (\d+)$/m.exec(stderr)![1]);
  }

  /** As lckpwdf(3) does it. Resolves when they are locked; what it returns ends the lock at once. */
  async function holdAccountFiles(server: string, seconds: number): Promise<() => Promise<void>> {
    const hold =
      "import fcntl, sys, time; f = open('/etc/.pwd.lock', 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print('locked', flush=True); time.sleep(float(sys.argv[1]))";
    const holder = spawn("incus", ["exec", `${stack}-${server}`, "--", "python3", "-c", hold, String(seconds)]);
    const ended = new Promise<void>((resolve) => holder.on("close", () => resolve()));
    await new Promise<void>((resolve) => holder.stdout.once("data", () => resolve()));
    return async () => {
      await fleet.on(server, ["pkill", "-f", "fcntl.LOCK_EX"]);
      await ended;
    };
  }
}
