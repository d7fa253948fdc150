import { spawn } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import type { Container } from "../../ops/containers/container";
import { until } from "../until";
import { stack } from "./clone";
import type { TestFleet } from "./fleet";
import { expectNoChanges } from "./people";

/** Mona goes to the second server and back, and whoever moves her dies on the way. Needs two servers; leaves nobody. */
export function moves(fleet: TestFleet): void {
  const ops = async (...args: string[]) => {
    const result = await fleet.ops(args);
    const said = result.code === 0 ? "" : result.stdout + result.stderr;
    expect({ args, code: result.code, said }).toEqual({ args, code: 0, said: "" });
    return result;
  };
  let mona = "";
  const inside = async (command: string) => (await fleet.ssh(["mona-dev", command], mona)).stdout;
  const me = async () => (await fleet.list()).filter(({ user }) => user === "mona");
  const identity = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub; hostname; sha256sum data";
  const instancesOn = async (server: number) =>
    (await fleet.on(`jump-${server}`, ["incus", "list", "-f", "csv", "-c", "ns", "mona-container"])).stdout.trim();
  const snapshotNames = async () =>
    (
      JSON.parse((await ops("snapshot", "list", "mona", "--json")).stdout) as { snapshots: { name: string }[] }
    ).snapshots
      .map(({ name }) => name)
      .sort();

  /** Begins to move her and ends the CLI by force, whole process group and all, as soon as the condition holds. */
  const killedWhen = async (to: string, condition: (said: string) => Promise<boolean> | boolean) => {
    const program = path.join(fleet.clone, "bin/containarium-ops");
    const child = spawn(program, ["move", "mona", "--to", to, "--stack", stack], {
      cwd: fleet.clone,
      env: { ...process.env, NO_COLOR: "1" },
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (data: Buffer) => (said += data.toString()));
    const ended = new Promise((resolve) => child.on("close", resolve));
    await until(() => condition(said), 240, "the moment to kill it");
    process.kill(-child.pid!, "SIGKILL");
    await ended;
    return said;
  };

  /** Where she is, whole and once, with the same keys, host key and data; and the stack knows. */
  const expectHome = async (server: number, before: { said: string; container: Container | undefined }) => {
    mona = await fleet.exported("mona");
    expect(await inside(identity)).toBe(before.said);
    const [container, ...more] = await me();
    expect(more).toEqual([]);
    expect(container).toEqual({ ...before.container, server: `jump-${server}`, ip: container?.ip, status: "running" });
    expect(container?.ip).toMatch(new RegExp(`^10\\.0\\.${2 + server}\\.`));
    expect(await instancesOn(server)).toBe("mona-container,RUNNING");
    expect(await instancesOn(3 - server)).toBe("");
    const accounts = await fleet.on(`jump-${3 - server}`, ["cat", "/etc/ssh/containarium/authorized_keys.d/mona"]);
    if (accounts.code === 0) expect(accounts.stdout).toContain(`permitopen="${container?.ip}:22"`);
    await expectNoChanges(fleet);
  };
  const before: { said: string; container: Container | undefined } = { said: "", container: undefined };

  beforeAll(async () => {
    fleet.newKey("mona");
    await ops("create", "mona", "--ssh-key", "mona.pub", "--server", "jump-1");
    mona = await fleet.exported("mona");
    await inside("head -c 20000000 /dev/urandom > data; echo one > note; sync");
    await ops("snapshot", "create", "mona", "--name", "at-first", "--expires", "7d");
    before.said = await inside(identity);
    before.container = (await me())[0];
  });
  afterAll(() => fleet.ops(["delete", "mona", "nora", "--force"]));

  test("she moves while she writes: no line that was acknowledged is lost, all else is as it was", async () => {
    const old = path.join(fleet.clone, "mona-old.conf");
    copyFileSync(`${mona}.known_hosts`, `${old}.known_hosts`);
    writeFileSync(old, readFileSync(mona, "utf8").replaceAll(`${mona}.known_hosts`, `${old}.known_hosts`));
    const line = 'i=$((i+1)); echo "line $i" >> lines && sync lines && echo "line $i"; sleep 0.05';
    const writing = fleet.ssh(["mona-dev", `i=0; while :; do ${line}; done`], old);
    const moved = JSON.parse((await ops("move", "mona", "--to", "jump-2", "--json")).stdout);
    expect(moved.moves[0]).toMatchObject({ user: "mona", from: "jump-1", to: "jump-2" });
    const acknowledged = (await writing).stdout.trim().split("\n");
    expect(acknowledged.length).toBeGreaterThan(5);
    await expectHome(2, before);
    expect((await inside("cat lines")).split("\n")).toEqual(expect.arrayContaining(acknowledged));
    expect(await snapshotNames()).toEqual(["at-first"]);
    // Whoever gets the old address gets nothing of hers, and she nothing of theirs.
    fleet.newKey("nora");
    await ops("create", "nora", "--ssh-key", "nora.pub", "--server", "jump-1");
    expect((await fleet.list()).find(({ user }) => user === "nora")?.ip).toBe(before.container?.ip);
    expect((await fleet.ssh(["mona-dev", "true"], old)).stderr).toMatch(/administratively prohibited/);
    // Every server lets her through to where she is now, the one that she left too.
    const way = { op: "path.verify", user: "mona", target: (await me())[0]?.ip, timeoutSeconds: 20 };
    const walk = `echo '${JSON.stringify(way)}' | containarium-host`;
    expect((await fleet.on("jump-1", ["sh", "-c", walk])).stdout).toMatch(/"ok": true.*SSH-2\.0/);
  });

  test("a snapshot from the old server can be restored on the new one", async () => {
    await inside("echo two > note; sync");
    // By force, as when a server dies: it gives no address back.
    await fleet.on("jump-2", ["incus", "stop", "--force", "mona-container"]);
    await ops("snapshot", "restore", "mona", "at-first", "--force");
    await ops("start", "mona");
    expect(await inside("cat note")).toBe("one\n");
    await expectHome(2, before);
  });

  test("there already: nothing to do; unknown server 3; unreachable 6, and nothing is changed", async () => {
    expect((await ops("move", "mona", "--to", "jump-2")).stdout).toMatch(/nothing to do/);
    expect((await fleet.ops(["move", "mona", "--to", "jump-77"])).code).toBe(3);
    expect((await fleet.ops(["move", "nobody-here", "--to", "jump-1"])).code).toBe(3);
    await fleet.on("jump-1", ["systemctl", "stop", "ssh.socket", "ssh.service"]);
    const { code } = await fleet.ops(["move", "mona", "--to", "jump-1"]);
    await fleet.on("jump-1", ["systemctl", "start", "ssh.service"]);
    expect(code).toBe(6);
    await expectHome(2, before);
  });

  test("killed while it copies: she works on, and the next run completes it", async () => {
    await killedWhen("jump-1", async () => (await instancesOn(1)) !== "");
    expect(await inside("echo still here > note; cat note")).toBe("still here\n");
    expect((await me()).map(({ server, status }) => [server, status])).toEqual([["jump-2", "running"]]);
    await ops("move", "mona", "--to", "jump-1");
    await expectHome(1, before);
    expect(await inside("cat note")).toBe("still here\n");
  });

  test("killed when it stops her, and again when the old place has let go: one home, and nothing is lost", async () => {
    await killedWhen("jump-2", (said) => said.includes("Copied mona-container"));
    expect(await me()).toHaveLength(1);
    await killedWhen("jump-2", (said) => said.includes("Brought all of mona-container"));
    expect(await me()).toHaveLength(1);
    expect([await instancesOn(1), await instancesOn(2)].filter((one) => one.endsWith("RUNNING")).length).toBeLessThan(
      2,
    );
    await ops("move", "mona", "--to", "jump-2");
    await expectHome(2, before);
    expect(await inside("cat note")).toBe("still here\n");
  });

  test("several at once, one of whom does not exist: the others move", async () => {
    const { code, stdout } = await fleet.ops(["move", "mona", "nora", "nobody-here", "--to", "jump-1", "--json"]);
    expect(code).toBe(8);
    expect(JSON.parse(stdout).moves).toMatchObject([
      { user: "mona", from: "jump-2" },
      { user: "nora", to: "jump-1" },
    ]);
    await expectHome(1, before);
    expect(await snapshotNames()).toEqual(["at-first"]);
  });

  test("a disk with somebody's files, of which Incus knows nothing there, stops a move, and stays", async () => {
    const disk = "/srv/containarium/pool/containers/nora-container";
    const leave = `btrfs subvolume create ${disk} && echo of nora > ${disk}/backup.yaml`;
    expect(await fleet.on("jump-2", ["sh", "-c", leave])).toMatchObject({ code: 0 });
    const { code, stderr } = await fleet.ops(["move", "nora", "--to", "jump-2"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("sudo incus admin recover") });
    expect((await fleet.on("jump-2", ["cat", `${disk}/backup.yaml`])).stdout).toBe("of nora\n");
    await fleet.on("jump-2", ["btrfs", "subvolume", "delete", disk]);
    expect((await fleet.ssh(["nora-dev", "whoami"], await fleet.exported("nora"))).stdout).toBe("nora\n");
  });

  test("what a refresh that was cut off has left of a copy, a folder without a disk, does not stop the next move", async () => {
    const broken = [
      "incus init -q $(incus image list -f csv -c f | head -n 1) nora-container --no-profiles -s default -c user.containarium.arriving=nora",
      "cd /srv/containarium/pool/containers",
      "btrfs subvolume delete nora-container",
      "mkdir nora-container",
      "echo left > nora-container/backup.yaml",
    ];
    expect(await fleet.on("jump-2", ["sh", "-ec", broken.join("\n")])).toMatchObject({ code: 0 });
    // Incus itself does not get rid of it.
    expect((await fleet.on("jump-2", ["incus", "delete", "-f", "nora-container"])).code).not.toBe(0);
    await ops("move", "nora", "--to", "jump-2");
    expect((await fleet.ssh(["nora-dev", "whoami"], await fleet.exported("nora"))).stdout).toBe("nora\n");
  });
}
