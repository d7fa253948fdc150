import { readFileSync } from "node:fs";
import * as path from "node:path";

import { run, stack } from "./clone";
import type { TestFleet } from "./fleet";
import { expectNoChanges } from "./people";

export function theDiskIsTheMachine(fleet: TestFleet): void {
  test("a machine that was thrown away comes back with everybody, as they were", async () => {
    const exported = [`${stack}.ssh_config`, `${stack}.ssh_config.known_hosts`].map((file) =>
      readFileSync(path.join(fleet.clone, ".containarium", file), "utf8"),
    );
    await fleet.ssh(["alice-dev", "echo precious > note && sync"]);
    const before = await fleet.list();
    await run(["incus", "delete", "-f", fleet.machine], { cwd: fleet.clone });

    const up = await fleet.pulumi("up", "--yes", "--refresh");
    expect({ code: up.code, said: up.code === 0 ? "" : up.stdout + up.stderr }).toEqual({ code: 0, said: "" });

    // The same exported file, host keys pinned: same identity on both hops.
    expect((await fleet.ssh(["alice-dev", "cat note"])).stdout).toBe("precious\n");
    expect(await fleet.list()).toEqual(before);
    expect(exported.every((text) => text.length > 0)).toBe(true);
    await expectNoChanges(fleet);
  });

  test("a restarted machine comes back by itself", async () => {
    await run(["incus", "restart", "--force", fleet.machine], { cwd: fleet.clone });
    const deadline = Date.now() + 60_000;
    while ((await fleet.ssh(["alice-dev", "cat note"])).stdout !== "precious\n") {
      if (Date.now() > deadline) throw new Error("alice could not log in within 60 s of the restart");
    }
    await expectNoChanges(fleet);
  });

  /** The real script, in a mount namespace of its own, on a loop device of the file: as the server `name` would. */
  const bringUpDisk = (file: string, name: string) => {
    const script = readFileSync(path.join(fleet.clone, "startup/data-disk.sh"), "utf8")
      .replace(
        /^value\(\) .*$/m,
        `value() { case $1 in dataDisk) echo $DEVICE;; storage) echo btrfs;; name) echo ${name};; esac; }`,
      )
      .replaceAll("/srv/containarium", `${fleet.clone}/disk-root`)
      .replaceAll("/var/lib/incus", `${fleet.clone}/disk-incus`);
    const attach = `DEVICE=$(losetup -f --show ${file}); export DEVICE; unshare -m bash; code=$?; losetup -d $DEVICE; exit $code`;
    return run(["bash", "-c", attach], { cwd: fleet.clone, input: script });
  };
  const sh = (script: string) => run(["sh", "-c", script], { cwd: fleet.clone });

  test("a disk that is not ours is refused, byte for byte untouched", async () => {
    await sh(
      "truncate -s 300M foreign.img && mkfs.ext4 -q -L theirs foreign.img && sha256sum foreign.img > foreign.sum",
    );
    const refused = await bringUpDisk("foreign.img", "jump-1");
    expect(refused.stderr).toMatch(/data disk refused.*ext4/);
    expect(refused.code).toBe(1);
    expect((await sh("sha256sum -c foreign.sum")).code).toBe(0);
  });

  test("a blank disk becomes a server's, is found again, and is refused by every other server", async () => {
    await sh("truncate -s 300M blank.img");
    expect(await bringUpDisk("blank.img", "jump-7")).toMatchObject({ code: 0 });
    expect(await bringUpDisk("blank.img", "jump-7")).toMatchObject({ code: 0 });
    const refused = await bringUpDisk("blank.img", "jump-8");
    expect(refused.stderr).toMatch(/data disk refused: it is the disk of jump-7/);
    expect(refused.code).toBe(1);
  });
}
