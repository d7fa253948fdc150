import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { ownerKey } from "../../components/local/owner";
import { run, stack } from "./clone";
import type { TestFleet } from "./fleet";

let before: string[];
/** What the first run took, in seconds. */
let fromNothing: number;

/**
 * What a person sees of the host: containers, loop devices, interfaces (but the random names of containers' ends). Not
 * what other fleets have, which are tried beside this one.
 */
async function host(fleet: TestFleet): Promise<string[]> {
  const others = othersThings();
  const seen = ["incus list -f csv -c n", "incus network list -f csv -c n", "incus storage list -f csv -c n", "losetup -a -n -O NAME,BACK-FILE", "ip -br link | cut -d' ' -f1 | cut -d@ -f1 | grep -v ^veth"]; // prettier-ignore
  const { stdout } = await run(["sh", "-c", seen.join("; ")], { cwd: "/" });
  const theirs = new Set([...others, ...othersThings()]);
  const isTheirs = (line: string) =>
    line.split(/[\s/]+/).some((word) => theirs.has(word.replace(/\.img$/, ""))) ||
    (line.includes(os.tmpdir()) && !line.includes(fleet.clone));
  return stdout.split("\n").filter((line) => !isTheirs(line)).sort(); // prettier-ignore
}

/** Names of all that carries the mark of another fleet. */
function othersThings(): string[] {
  const things = ["list", "network list", "storage list"].flatMap(
    (command) =>
      JSON.parse(execFileSync("incus", [...command.split(" "), "-f", "json"], { encoding: "utf8" })) as {
        name: string;
        config?: Record<string, string>;
      }[],
  );
  return things.filter(({ config }) => !(config?.[ownerKey] ?? `${stack}:`).startsWith(`${stack}:`)).map(({ name }) => name); // prettier-ignore
}

export function quickstart(fleet: TestFleet): void {
  test("brings up a server and alice, and ends with the command that she types", async () => {
    before = await host(fleet);
    const result = await fleet.quickstart();
    expect(result.stderr + result.stdout).toContain(`ssh -F .containarium/${stack}.ssh_config alice-dev`);
    expect(result.code).toBe(0);
    fromNothing = result.seconds;
  });

  test("alice is in her own machine, with sudo and Docker", async () => {
    expect((await fleet.ssh(["alice-dev", "whoami"])).stdout).toBe("alice\n");
    expect((await fleet.ssh(["alice-dev", "sudo -n id -u"])).stdout).toBe("0\n");
    expect((await fleet.ssh(["alice-dev", "hostname"])).stdout).toBe("alice-container\n");
    const docker = await fleet.ssh(["alice-dev", "docker info --format '{{.Driver}} {{.ServerVersion}}'"]);
    expect(docker.stdout).toMatch(/^overlay2 \d+/);
  });

  test("her container is unprivileged, limited and quota'd", async () => {
    const root = await fleet.ssh(["alice-dev", "head -1 /proc/self/uid_map"]);
    expect(root.stdout.trim()).toMatch(/^0\s+[1-9]\d+\s+65536$/);
    const limits = await fleet.onServer(["incus", "config", "show", "alice-container"]);
    expect(limits.stdout).toMatch(/limits.cpu.allowance: 400ms\/100ms/);
    expect(limits.stdout).toMatch(/limits.memory: 4GiB/);
  });

  test("a disk quota holds for data that does not compress", async () => {
    await fleet.onServer(["incus", "config", "device", "set", "alice-container", "root", "size=2GB"]);
    const fill = await fleet.ssh(["alice-dev", "head -c 3G /dev/urandom > big; stat -c %s big; rm -f big"]);
    await fleet.onServer(["incus", "config", "device", "set", "alice-container", "root", "size=20GB"]);
    expect(fill.stderr).toMatch(/quota exceeded|no space left/i);
    expect(Number(fill.stdout)).toBeLessThan(2e9);
  });

  test("secrets are for their owner alone", () => {
    for (const file of ["passphrase", "admin_key", "keys/alice"]) {
      expect(statSync(path.join(fleet.clone, ".containarium", file)).mode & 0o777).toBe(0o600);
    }
  });

  test("a second run changes nothing and takes a fraction of the first one's time", async () => {
    const result = await fleet.quickstart();
    expect(result.stderr + result.stdout).toContain("no changes");
    expect(result.code).toBe(0);
    expect(result.seconds).toBeLessThan(fromNothing / 2);
  });
}

export function quickstartDown(fleet: TestFleet): void {
  test("leaves the host as it was", async () => {
    const result = await fleet.down();
    expect(result.code).toBe(0);
    expect(await host(fleet)).toEqual(before);
    expect(existsSync(path.join(fleet.clone, ".containarium"))).toBe(false);
  });

  test("does nothing when there is nothing", async () => {
    expect((await fleet.down()).code).toBe(0);
  });
}
