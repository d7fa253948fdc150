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
}
