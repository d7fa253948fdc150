import { readFileSync } from "node:fs";
import * as path from "node:path";

import { until } from "../until";
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
    const hasHerNote = async () => (await fleet.ssh(["alice-dev", "cat note"])).stdout === "precious\n";
    await until(hasHerNote, 120, "alice's login after the restart");
    await expectNoChanges(fleet);
  });

  test("a disk that a dying server left without a container: it goes, unless somebody's files are on it", async () => {
    fleet.newKey("zoe");
    const create = () => fleet.ops(["create", "zoe", "--ssh-key", "zoe.pub", "--memory", "512MiB"]);
    const disk = "/srv/containarium/pool/containers/zoe-container";
    const onServer = async (script: string) => {
      const { code, stdout, stderr } = await fleet.onServer(["bash", "-euc", script]);
      expect({ script, code, stderr: code === 0 ? "" : stderr }).toEqual({ script, code: 0, stderr: "" });
      return stdout;
    };
    const leave = "cd /srv/containarium/pool; btrfs -q subvolume snapshot images/* containers/zoe-container";
    await onServer(`${leave}; mkdir ${disk}/rootfs/etc/containarium; echo hers > ${disk}/rootfs/etc/containarium/user.json`); // prettier-ignore
    expect(await create()).toMatchObject({ code: 1, stderr: expect.stringMatching(/somebody's files[^]*incus admin recover/) }); // prettier-ignore
    expect(await onServer(`cat ${disk}/rootfs/etc/containarium/user.json`)).toBe("hers\n");
    await onServer(`btrfs subvolume delete --recursive ${disk}; ${leave}`);
    expect(await create()).toMatchObject({ code: 0 });
    expect((await fleet.ssh(["zoe-dev", "whoami"], await fleet.exported("zoe"))).stdout).toBe("zoe\n");
    expect((await fleet.ops(["delete", "zoe", "--force"])).code).toBe(0);
  });

  test("a disk that is missing is not replaced by an empty one", async () => {
    const sh = (script: string) => run(["sh", "-c", script], { cwd: fleet.clone });
    const disk = `.containarium/disks/${fleet.machine}.img`;
    await run(["incus", "delete", "-f", fleet.machine], { cwd: fleet.clone });
    await sh(`losetup -d $(losetup -j ${disk} -n -O NAME); mv ${disk} ${disk}.away`);
    const refused = await fleet.pulumi("up", "--yes", "--skip-preview");
    await sh(`mv ${disk}.away ${disk}`);
    expect(refused.stdout + refused.stderr).toMatch(/data disk .* is missing or empty/);
    expect(refused.code).not.toBe(0);
    expect((await fleet.pulumi("up", "--yes", "--skip-preview")).code).toBe(0);
    expect((await fleet.ssh(["alice-dev", "cat note"])).stdout).toBe("precious\n");
  });

  /** The real script, for a server below a folder, on a loop device of the file, in a mount namespace of its own. */
  const bringUpDisk = (file: string, dataDiskId: string, mayFormat: boolean) => {
    const values = { name: "jump-7", dataDisk: "DEVICE", dataDiskId, mayFormat, storage: "btrfs" };
    const script = `
      export CONTAINARIUM_ROOT=$PWD/disk-server
      mkdir -p $CONTAINARIUM_ROOT/etc/containarium
      device=$(losetup -f --show ${file})
      sed "s|DEVICE|$device|" > $CONTAINARIUM_ROOT/etc/containarium/server.json
      unshare -m startup/data-disk.sh; code=$?; losetup -d $device; exit $code`;
    return run(["bash", "-c", script], { cwd: fleet.clone, input: JSON.stringify(values) });
  };
  const sh = (script: string) => run(["sh", "-c", script], { cwd: fleet.clone });
  const [mine, theirs] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"];

  test.each([
    ["a foreign file system", "mkfs.ext4 -q -L theirs", /data disk refused: \S+ holds ext4/],
    [
      "another server's disk",
      `mkfs.btrfs -q -L containarium -U ${theirs}`,
      new RegExp(`data disk refused: .*${theirs}`),
    ],
    [
      "data without a known signature",
      "sh -c 'echo data | dd conv=notrunc bs=1 seek=4096 status=none of=$0'",
      /holds unknown data/,
    ],
  ])("%s is refused, byte for byte untouched", async (_what, make, reason) => {
    await sh(
      `rm -f foreign.img; truncate -s 300M foreign.img && ${make} foreign.img && sha256sum foreign.img > foreign.sum`,
    );
    const refused = await bringUpDisk("foreign.img", mine, true);
    expect(refused.stderr).toMatch(reason);
    expect(refused.code).toBe(1);
    expect((await sh("sha256sum -c foreign.sum")).code).toBe(0);
  });

  test("a blank disk is formatted where it is new, found again, and refused where it should have data", async () => {
    await sh("truncate -s 300M blank.img");
    const refused = await bringUpDisk("blank.img", mine, false);
    expect(refused.stderr).toMatch(/data disk refused: \S+ is blank/);
    expect(refused.code).toBe(1);
    expect((await bringUpDisk("blank.img", mine, true)).code).toBe(0);
    expect((await bringUpDisk("blank.img", mine, false)).code).toBe(0);
    // The server remembers: a second blank disk is a wrong one, whatever it is told.
    await sh("truncate -s 300M other.img");
    expect((await bringUpDisk("other.img", mine, true)).stderr).toMatch(
      /is blank, but this server has had its data disk/,
    );
  });
}
