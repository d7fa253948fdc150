import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import type { ServerImage } from "../../ops/images/list";
import { run } from "./clone";
import type { TestFleet } from "./fleet";
import { expectNoChanges } from "./people";

export function imagesAndSync(fleet: TestFleet): void {
  const images = async (): Promise<ServerImage[]> => JSON.parse((await fleet.ops(["image", "list", "--json"])).stdout).images; // prettier-ignore
  const sync = async (...args: string[]) => JSON.parse((await fleet.ops(["sync", "--json", ...args])).stdout);
  const baseOf = async (user: string) =>
    (await fleet.onServer(["incus", "config", "get", `${user}-container`, "volatile.base_image"])).stdout.trim();
  const bakeOnServer = () => fleet.onServer(["/usr/local/lib/containarium/bake-image.sh"]);

  test("the golden image is of the present startup files; nothing is outdated", async () => {
    const [image] = await images();
    expect(image).toMatchObject({ server: "jump-1", name: "debian/13", isCurrentVersion: true });
    expect(image!.containers).toBeGreaterThan(0);
    expect(JSON.parse((await fleet.ops(["image", "outdated", "--json", "--older-than", "52w"])).stdout)).toMatchObject({
      images: [],
      containers: [],
    });
  });

  test("a bake that is killed leaves the image of before", async () => {
    const [before] = await images();
    const asked = await fleet.onServer(["containarium-host"], JSON.stringify({ op: "image.bake", image: "debian/13" }));
    expect(JSON.parse(asked.stdout)).toEqual({ ok: true, result: { started: true } });
    const builder =
      "for i in $(seq 600); do incus info containarium-bake >/dev/null 2>&1 && exit; sleep 0.1; done; exit 1";
    expect((await fleet.onServer(["sh", "-c", builder])).code).toBe(0);
    await fleet.onServer(["systemctl", "kill", "-s", "KILL", "containarium-bake.service"]);
    expect((await images()).map(({ fingerprint }) => fingerprint)).toEqual([before!.fingerprint]);
  });

  test("image bake: a new image, tried; who is there stays, who comes afterwards is made from it", async () => {
    const [before] = await images();
    const aliceBefore = await baseOf("alice");
    const baked = await fleet.ops(["image", "bake"]);
    expect({ code: baked.code, said: baked.code === 0 ? "" : baked.stderr }).toEqual({ code: 0, said: "" });
    expect(baked.stderr).toMatch(/✓ Installing the packages of today .*\n.*✓ Keeping[^]*✓ Trying a copy/);
    const [after] = await images();
    expect(after!.fingerprint).not.toBe(before!.fingerprint);
    expect(after).toMatchObject({ isCurrentVersion: true, version: before!.version, containers: 0 });
    expect(Date.parse(after!.bakedAt)).toBeGreaterThan(Date.parse(before!.bakedAt));
    // Nothing of it, nor of the bake that was killed, is left.
    const instances = await fleet.onServer(["incus", "list", "-f", "csv", "-c", "n"]);
    expect(instances.stdout).not.toMatch(/containarium-(bake|proof|warm)/);
    expect(await baseOf("alice")).toBe(aliceBefore);
    expect((await fleet.ssh(["alice-dev", "whoami"])).stdout).toBe("alice\n");
    const outdated = JSON.parse((await fleet.ops(["image", "outdated", "--json"])).stdout);
    expect(outdated.images).toEqual([]);
    expect(outdated.containers.map(({ user }: { user: string }) => user)).toContain("alice");
  });

  test("startup does not bake again, nor go back, and removes the old one", async () => {
    const [before] = await images();
    const startup = await bakeOnServer();
    expect({ code: startup.code, said: startup.stdout }).toEqual({ code: 0, said: "end: 0\n" });
    expect((await images())[0]!.fingerprint).toBe(before!.fingerprint);
    const all = await fleet.onServer(["incus", "image", "list", "-f", "csv", "-c", "F"]);
    expect(all.stdout).toBe(`${before!.fingerprint}\n`);
    expect((await fleet.ssh(["alice-dev", "whoami"])).stdout).toBe("alice\n");
  });

  test("sync records somebody who was made past the stack; then pulumi up has nothing to do", async () => {
    fleet.newKey("sybil");
    const address = fleet.addressOf(1);
    const [hostKey = ""] = JSON.parse((await fleet.onServer(["containarium-host"], '{"op":"server.status"}')).stdout).result.hostKeys; // prettier-ignore
    writeFileSync(path.join(fleet.clone, "sync.known_hosts"), `${address} ${hostKey}\n`);
    const host = ["--host", `admin@${address}`, "--identity", ".containarium/admin_key", "--known-hosts", "sync.known_hosts"]; // prettier-ignore
    const made = await fleet.ops(["create", "sybil", "--ssh-key", "sybil.pub", "--memory", "1GiB", ...host], { stack: false }); // prettier-ignore
    expect({ code: made.code, said: made.code === 0 ? "" : made.stderr }).toEqual({ code: 0, said: "" });
    expect(await baseOf("sybil")).toBe((await images())[0]!.fingerprint);
    const config = fleet.config();
    expect((await sync("--dry-run")).unlisted).toEqual([{ user: "sybil", server: "jump-1", recorded: false }]);
    expect(fleet.config()).toBe(config);
    expect(await sync()).toMatchObject({
      unlisted: [{ user: "sybil", server: "jump-1", recorded: true }],
      missing: [],
      different: [],
      failures: [],
    });
    expect(fleet.config()).toContain(readFileSync(path.join(fleet.clone, "sybil.pub"), "utf8").trim());
    await expectNoChanges(fleet);
    expect((await fleet.ssh(["sybil-dev", "whoami"], await fleet.exported("sybil"))).stdout).toBe("sybil\n");
  });

  test("a limit that was changed by hand is reported, and the command that is named puts it right", async () => {
    await fleet.onServer(["incus", "config", "set", "sybil-container", "limits.memory=2GiB"]);
    expect(await sync()).toMatchObject({
      unlisted: [],
      different: [{ user: "sybil", server: "jump-1", field: "memory", config: "1GiB", actual: "2GiB" }],
    });
    const { code, stdout: said } = await fleet.ops(["sync"]);
    expect(code).toBe(4);
    const [, remedy = "false"] = /config's limits: {2}(npm run .*)$/m.exec(said) ?? [];
    const up = await run([...remedy.split(" "), "--yes", "--skip-preview"], { cwd: fleet.clone, timeoutMs: 600_000 });
    expect({ code: up.code, said: up.code === 0 ? "" : up.stdout + up.stderr }).toEqual({ code: 0, said: "" });
    expect(await sync()).toMatchObject({ unlisted: [], missing: [], different: [] });
  });

  test("the man page was built; completion is there for bash", async () => {
    const page = await run(["man", "--warnings", "-l", "dist/containarium-ops.1"], { cwd: fleet.clone, env: { ...process.env, MANPAGER: "cat", MANWIDTH: "80" } }); // prettier-ignore
    expect([page.code, page.stderr]).toEqual([0, ""]);
    expect(page.stdout).toContain("image outdated");
    const completion = "source <(npx containarium-ops completion bash) && complete -p containarium-ops";
    const bash = await run(["bash", "-c", completion], { cwd: fleet.clone });
    expect(bash.stdout).toMatch(/^complete .*-F _containarium_ops containarium-ops/);
  });

  test("sybil goes", async () => {
    expect((await fleet.ops(["delete", "sybil", "--force"])).code).toBe(0);
    await expectNoChanges(fleet);
  });
}
