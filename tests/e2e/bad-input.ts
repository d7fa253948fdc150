import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { stack } from "./clone";
import type { TestFleet } from "./fleet";

/** Each is a one-line cause, a remedy, the documented exit code, and nothing changed. */
export function badInput(fleet: TestFleet): void {
  const write = (name: string, text: string) => writeFileSync(path.join(fleet.clone, name), text);

  beforeAll(() => {
    fleet.newKey("eve");
    const key = readFileSync(path.join(fleet.clone, "eve.pub"), "utf8").trim();
    write("empty.pub", "");
    write("options.pub", `command="sh" ${key}\n`);
    write("malformed.pub", "ssh-ed25519 AAAA eve\n");
  });

  test.each<[string, string[], number, RegExp]>([
    ["a user name with a semicolon", ["create", "zz;id", "--ssh-key", "eve.pub"], 2, /zz;id/],
    ["a reserved user name", ["create", "root", "--ssh-key", "eve.pub"], 2, /root/],
    ["a system account of the server", ["create", "admin", "--ssh-key", "eve.pub"], 2, /admin/],
    ["somebody who exists", ["create", "alice", "--ssh-key", "eve.pub"], 4, /alice/],
    ["a private key", ["create", "eve", "--ssh-key", "eve"], 2, /eve is a private key/],
    ["an empty key file", ["create", "eve", "--ssh-key", "empty.pub"], 2, /empty\.pub/],
    ["a key with options", ["create", "eve", "--ssh-key", "options.pub"], 2, /option/],
    ["a malformed key", ["create", "eve", "--ssh-key", "malformed.pub"], 2, /malformed\.pub/],
    ["a missing key file", ["create", "eve", "--ssh-key", "none.pub"], 2, /none\.pub/],
    ["memory that is no size", ["create", "eve", "--ssh-key", "eve.pub", "--memory", "banana"], 2, /banana/],
    ["a disk larger than the pool", ["create", "eve", "--ssh-key", "eve.pub", "--disk-quota", "900TB"], 2, /900TB/],
    ["a server that is not there", ["create", "eve", "--ssh-key", "eve.pub", "--server", "jump-9"], 3, /jump-9/],
    ["an unknown option", ["create", "eve", "--ssh-key", "eve.pub", "--banana"], 2, /banana/],
  ])("%s", async (_what, args, code, cause) => {
    const before = await fleet.everything();
    const result = await fleet.ops(args);
    expect(result.stderr).toMatch(cause);
    expect(result.stderr.split("\n").filter((line) => line.startsWith("error: "))).toHaveLength(1);
    expect(result.stderr.trim().split("\n").length).toBeGreaterThan(1);
    expect(result.stderr).not.toMatch(/\n\s+at .*\d+:\d+/);
    expect(result.code).toBe(code);
    expect(await fleet.everything()).toEqual(before);
  });

  test("an account of the server that is not ours stays untouched", async () => {
    await fleet.onServer(["useradd", "--create-home", "operator1"]);
    const before = await fleet.everything();
    expect((await fleet.ops(["create", "operator1", "--ssh-key", "eve.pub"])).code).toBe(4);
    expect(await fleet.everything()).toEqual(before);
    expect((await fleet.onServer(["stat", "-c", "%U", "/home/operator1"])).stdout).toBe("operator1\n");
    await fleet.onServer(["userdel", "--remove", "operator1"]);
  });

  test("another administrator's key is refused: exit 5", async () => {
    const result = await fleet.ops(["list", "--identity", path.join(fleet.clone, "eve")]);
    expect(result.stderr).toMatch(/^error: .*jump-1/m);
    expect([5, 8]).toContain(result.code);
    expect((await fleet.ops(["info", "alice", "--identity", path.join(fleet.clone, "eve")])).code).toBe(5);
  });

  test("a server with another host key is refused with both fingerprints: exit 5", async () => {
    const right = readFileSync(path.join(fleet.clone, "eve.pub"), "utf8").split(" ").slice(0, 2).join(" ");
    const address = (await fleet.pulumi("stack", "output", "inventory", "--json")).stdout;
    const server = JSON.parse(address).servers[0];
    write("wrong_known_hosts", `${server.address} ${right}\n`);
    const result = await fleet.ops(
      [
        "list",
        "--host",
        `admin@${server.address}`,
        "--known-hosts",
        "wrong_known_hosts",
        "--identity",
        ".containarium/admin_key",
      ],
      { stack: false },
    );
    expect(result.stderr.match(/SHA256:[A-Za-z0-9+/]{43}/g)?.length).toBeGreaterThanOrEqual(2);
    expect(result.code).toBe(5);
  });

  test("an unreachable host: exit 6", async () => {
    const key = readFileSync(path.join(fleet.clone, "eve.pub"), "utf8").split(" ").slice(0, 2).join(" ");
    write("lost_known_hosts", `[127.0.0.1]:1 ${key}\n`);
    const result = await fleet.ops(
      [
        "list",
        "--host",
        "admin@127.0.0.1:1",
        "--known-hosts",
        "lost_known_hosts",
        "--identity",
        ".containarium/admin_key",
      ],
      { stack: false },
    );
    expect(result.stderr).toMatch(/127\.0\.0\.1/);
    expect(result.code).toBe(6);
  });

  test("Incus down on the server: said so, nothing changed", async () => {
    const before = await fleet.everything();
    await fleet.onServer(["systemctl", "stop", "incus.socket", "incus.service"]);
    const result = await fleet.ops(["create", "eve", "--ssh-key", "eve.pub"]);
    await fleet.onServer(["systemctl", "start", "incus.socket", "incus.service"]);
    await fleet.onServer(["incus", "admin", "waitready"]);
    expect(result.stderr).toMatch(/^error: .*Incus/m);
    expect([1, 6]).toContain(result.code);
    expect(await fleet.everything()).toEqual(before);
  });

  test("the engine missing: said so, nothing changed", async () => {
    const before = await fleet.everything();
    const empty = path.join(fleet.clone, "no-cache");
    mkdirSync(empty);
    const result = await fleet.ops(["create", "eve", "--ssh-key", "eve.pub"], { env: { CONTAINARIUM_CACHE: empty } });
    expect(result.stderr).toMatch(/engine/i);
    expect(result.stderr).toMatch(/npm run engine/);
    expect(result.code).toBe(1);
    expect(await fleet.everything()).toEqual(before);
  });

  test("another `up` holds the stack's lock: exit 4, who holds it, nothing changed", async () => {
    const before = await fleet.everything();
    const locks = path.join(fleet.clone, ".containarium/state/.pulumi/locks/organization/containarium", stack);
    mkdirSync(locks, { recursive: true });
    const lock = path.join(locks, "11111111-1111-4111-8111-111111111111.json");
    writeFileSync(
      lock,
      JSON.stringify({ pid: 4711, username: "carla", hostname: "laptop", timestamp: new Date().toISOString() }),
    );
    const result = await fleet.ops(["create", "eve", "--ssh-key", "eve.pub", "--lock-timeout", "1"]);
    rmSync(lock);
    expect(result.stderr).toMatch(/carla@laptop|carla.*laptop/);
    expect(result.code).toBe(4);
    expect(await fleet.everything()).toEqual(before);
  });
}
