import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import type { Container } from "../../ops/containers/container";
import { until } from "../until";
import type { TestFleet } from "./fleet";
import { expectNoChanges } from "./people";

/** Sara's disk: kept, put back, packed, unpacked for somebody else. Needs the first server; leaves nobody behind. */
export function snapshotsAndBackups(fleet: TestFleet): void {
  const ops = async (...args: string[]) => {
    const result = await fleet.ops(args);
    expect({ args, ...result }).toMatchObject({ code: 0 });
    return result;
  };
  const containers = async (...args: string[]) =>
    (JSON.parse((await ops(...args, "--json")).stdout) as { containers: Container[] }).containers;
  const snapshots = async (...args: string[]) =>
    (JSON.parse((await ops("snapshot", "list", ...args, "--json")).stdout) as { snapshots: Record<string, string>[] })
      .snapshots;
  const hostKey = "cat /etc/ssh/ssh_host_ed25519_key.pub";
  const file = (name: string) => path.join(fleet.clone, name);
  let sara = "";
  const inside = async (command: string) => (await fleet.ssh(["sara-dev", command], sara)).stdout;

  beforeAll(async () => {
    fleet.newKey("sara");
    await ops("create", "sara", "--ssh-key", "sara.pub");
    sara = await fleet.exported("sara");
  });
  afterAll(() => fleet.ops(["delete", "sara", "sven", "--force"]));

  test("a snapshot is kept while she works, and brings back what she lost; the keys stay those of now", async () => {
    await inside("echo one > note; sync");
    await ops("snapshot", "create", "sara", "--name", "before-exam");
    await inside("echo two > note; sync");
    fleet.newKey("sara-new");
    await ops("keys", "replace", "sara", "--ssh-key", "sara-new.pub");
    await ops("snapshot", "restore", "sara", "before-exam", "--force");
    expect((await fleet.ssh(["sara-dev", "cat note"], sara)).code).toBe(255);
    await ops("keys", "add", "sara", "--ssh-key", "sara.pub");
    expect(await inside("cat note")).toBe("one\n");
    await expectNoChanges(fleet);
  });

  test("of everybody, with an end; one that is taken, unknown or wrong: exit codes, nothing changed", async () => {
    await ops("snapshot", "create", "--all", "--name", "friday", "--expires", "7d");
    const [friday] = (await snapshots("sara")).filter(({ name }) => name === "friday");
    expect(Date.parse(friday!["expiresAt"]!) - Date.parse(friday!["createdAt"]!)).toBeCloseTo(7 * 86_400_000, -5);
    const before = await snapshots();
    expect(before.filter(({ name }) => name === "friday").map(({ user }) => user)).toContain("alice");
    const code = async (...args: string[]) => (await fleet.ops(["snapshot", ...args])).code;
    expect(await code("create", "sara", "--name", "friday")).toBe(4);
    expect(await code("create", "sara", "--name", "../x")).toBe(2);
    expect(await code("restore", "sara", "nothing", "--force")).toBe(3);
    expect(await code("delete", "nobody-here", "friday", "--force")).toBe(3);
    expect(await code("delete", "sara", "friday")).toBe(2);
    expect(await snapshots()).toEqual(before);
    for (const { user, name } of before) {
      if (name === "friday") await ops("snapshot", "delete", user!, name, "--force");
    }
    expect((await snapshots()).map(({ name }) => name)).toEqual(["before-exam"]);
  });

  test("a schedule is in the container, in the stack and in info; bad ones change nothing", async () => {
    await ops("snapshot", "schedule", "sara", "--at", "* * * * *", "--expires", "12h");
    const [sara] = await containers("info", "sara");
    expect(sara).toMatchObject({ snapshotSchedule: "* * * * *", snapshotExpiry: "12h" });
    expect((await fleet.ops(["snapshot", "schedule", "sara", "--at", "noon"])).code).toBe(2);
    await expectNoChanges(fleet);
  });

  test("a backup brings the same content to another person, who is not mistaken for the first", async () => {
    await inside("head -c 50000000 /dev/urandom > data; mkdir -p work/deep; echo kept > work/deep/file; sync");
    const sums = await inside("cat data note work/deep/file | sha256sum");
    await ops("backup", "sara", "-o", "sara.tar.gz");
    expect((await fleet.ops(["backup", "sara", "-o", "sara.tar.gz"])).code).toBe(2);
    fleet.newKey("sven");
    const [sven] = await containers("restore", "sven", "sara.tar.gz", "--ssh-key", "sven.pub");
    expect(sven).toMatchObject({ user: "sven", status: "running", server: "jump-1" });
    const config = await fleet.exported("sven");
    expect((await fleet.ssh(["sven-dev", "whoami; cat data note work/deep/file | sha256sum"], config)).stdout).toBe(`sven\n${sums}`); // prettier-ignore
    expect((await fleet.ssh(["sven-dev", hostKey], config)).stdout).not.toBe(await inside(hostKey));
    const withHers = file("sven-with-hers.conf");
    writeFileSync(withHers, readFileSync(config, "utf8").replaceAll(/(?<=IdentityFile ).*/g, file("sara")));
    expect((await fleet.ssh(["sven-jump", "true"], withHers)).stderr).toMatch(/Permission denied/);
    await expectNoChanges(fleet);
  });

  test("meanwhile the schedule has kept her disk, for its time; what was kept by hand stays", async () => {
    let kept: Record<string, string>[] = [];
    await until(async () => (kept = await snapshots("sara")).length >= 2, 180, "a snapshot by schedule");
    const scheduled = kept.filter(({ name }) => name !== "before-exam");
    for (const { createdAt, expiresAt } of scheduled)
      expect(Date.parse(expiresAt!) - Date.parse(createdAt!)).toBeCloseTo(12 * 3_600_000, -5);
    expect(kept.find(({ name }) => name === "before-exam")).not.toHaveProperty("expiresAt");
    await ops("snapshot", "schedule", "sara", "--at", "off");
    expect((await containers("info", "sara"))[0]).not.toHaveProperty("snapshotSchedule");
    await expectNoChanges(fleet);
  });

  test("a damaged backup is refused, and nothing is left of it", async () => {
    const before = await fleet.everything();
    const whole = readFileSync(file("sara.tar.gz"));
    writeFileSync(file("cut.tar.gz"), whole.subarray(0, whole.length / 10));
    const cut = await fleet.ops(["restore", "sonja", "cut.tar.gz"]);
    expect(cut.code).not.toBe(0);
    fleet.appendToFile("text.tar.gz", "this is no backup");
    expect((await fleet.ops(["restore", "sonja", "text.tar.gz"])).code).toBe(2);
    expect(await fleet.everything()).toEqual(before);
  });

  test("who is deleted with a backup comes back by it, as they were, with the same way in", async () => {
    const before = await inside(`${hostKey}; sha256sum data`);
    await ops("delete", "sara", "--force", "--backup", "old-people");
    const [archive] = readdirSync(file("old-people"));
    expect(archive).toMatch(/^sara-.*\.tar\.gz$/);
    expect((await fleet.ssh(["sara-dev", "true"], sara)).code).toBe(255);
    await ops("restore", "sara", `old-people/${archive}`);
    expect(await inside(`${hostKey}; sha256sum data`)).toBe(before);
    await expectNoChanges(fleet);
  });

  test("a container that gets a dead one's address inherits nothing of it", async () => {
    const address = async (user: string) => (await fleet.list()).find((one) => one.user === user)?.ip;
    const old = await address("sven");
    await ops("delete", "sven", "--force");
    const [heir] = await containers("create", "sven", "--ssh-key", "sven.pub");
    const config = await fleet.exported("sven");
    expect(heir?.ip).toBe(old);
    expect((await fleet.ssh(["sven-dev", "ls data"], config)).code).toBe(2);
    expect(await snapshots("sven")).toEqual([]);
  });
}
