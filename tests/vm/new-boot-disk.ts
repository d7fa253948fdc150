import { execFileSync } from "node:child_process";
import * as path from "node:path";

import { expectEverybodyBack } from "./people";
import { step } from "./step";
import { makeDisk, sha256, type TestServer } from "./test-server";

const mib = 1024 ** 2;
const dataDisk = "/usr/local/lib/containarium/data-disk.sh";
/** Runs a script on the server while the disk is not there: its host key is nobody's, so it is not checked. */
const stranger = { pinned: false };

export function newBootDisk(server: TestServer): void {
  step("without a data disk: refused after the wait, and Incus does not start on the boot disk", async () => {
    server.newBootDisk();
    server.tell({ dataDiskId: "containarium-vm-jump-1", mayFormat: false });
    const { status, said } = await server.start(null).startupEnds();
    expect(said).toMatch(/data disk refused: \S+ did not appear within 120 s/);
    expect(status).not.toBe(0);
    expect(server.metadata.written).toEqual({});
    await expectNoIncus(server);
  });

  /** Attaches a disk of 300 MiB that was prepared on the server itself, and runs the script on it. */
  const tryDisk = async (prepare: string) => {
    const file = path.join(server.directory, "foreign.raw");
    makeDisk(file, 300 * mib);
    await server.vm.attachDataDisk(file);
    await server.succeed(`udevadm settle; ${prepare}; udevadm settle`, stranger);
    await server.vm.detachDataDisk();
    const before = await sha256(file);
    await server.vm.attachDataDisk(file);
    const { code, stderr } = await server.onServer(dataDisk, stranger);
    await server.vm.detachDataDisk();
    expect(await sha256(file)).toBe(before);
    await expectNoIncus(server);
    return { code, stderr };
  };
  const disk = "/dev/disk/by-id/google-incus-data";
  const pool = (name: string, id: string) => `zpool create -m none -O containarium:disk-id=${id} ${name} ${disk}`;

  const wrongDisks: [what: string, prepare: string, reason: RegExp][] = [
    ["a blank disk where there must be data", "true", /data disk refused: \S+ is blank/],
    ["a foreign ext4 disk", `mkfs.ext4 -q ${disk}`, /data disk refused: \S+ holds ext4/],
    [
      "a partition table",
      `${pool("gone", "theirs")}; zpool destroy gone; zpool labelclear -f ${disk}-part1`,
      /holds a partition table without a pool/,
    ],
    ["a foreign pool", `${pool("tank", "theirs")}; zpool export tank`, /holds the pool tank/],
    [
      "another server's disk",
      `${pool("containarium", "vm-jump-2")}; zpool export containarium`,
      /holds the disk vm-jump-2/,
    ],
    [
      "its own pool, broken",
      // The labels stay, at both ends; what they point to is gone.
      `${pool("containarium", "containarium-vm-jump-1")}; zpool export containarium;` +
        `dd if=/dev/zero of=${disk}-part1 bs=1M seek=4 count=280 conv=notrunc status=none`,
      /cannot be imported/,
    ],
  ];
  for (const [what, prepare, reason] of wrongDisks) {
    step(`${what} is refused, byte for byte untouched`, async () => {
      const { code, stderr } = await tryDisk(prepare);
      expect(stderr).toMatch(reason);
      expect(code).toBe(1);
    });
  }

  step("a kernel that has no ZFS module and cannot build one: refused, with what to do", async () => {
    const module = "/lib/modules/$(uname -r)/updates/dkms";
    const hide = `modprobe -r zfs; mv ${module} /root/module; mv /var/lib/dkms/zfs /root/zfs; depmod`;
    const { code, stderr } = await tryDisk(
      `${pool("containarium", "containarium-vm-jump-1")}; zpool export -a; ${hide}`,
    );
    expect(stderr).toMatch(/the kernel \S+ has no ZFS module .*apt-get install linux-headers-\S+ zfs-dkms/);
    expect(code).toBe(1);
    await server.succeed(`mv /root/module ${module}; mv /root/zfs /var/lib/dkms/zfs; depmod`, stranger);
  });

  step("the right disk, though it appears late: everybody is back, as they were", async () => {
    await rightDiskAppears(server);
    expect(server.hostKey).toBe(server.firstHostKey);
    await expectEverybodyBack(server);
  });
}

/** In one go: a new boot disk, at first with somebody else's disk, which it might format if it were blank, then with its own. */
export async function foreignDiskThenOwn(server: TestServer): Promise<void> {
  const foreign = path.join(server.directory, "foreign.raw");
  makeDisk(foreign, 300 * mib);
  execFileSync("mke2fs", ["-q", "-t", "ext4", foreign]);
  const before = await sha256(foreign);
  server.newBootDisk();
  const { status, said } = await server.start(foreign).startupEnds();
  expect(said).toMatch(/data disk refused: \S+ holds ext4/);
  expect(status).not.toBe(0);
  await expectNoIncus(server);
  await server.vm.detachDataDisk();
  expect(await sha256(foreign)).toBe(before);
  server.tell({ dataDiskId: "containarium-vm-jump-1", mayFormat: false });
  await rightDiskAppears(server);
}

/** Late: the startup waits for it already. */
async function rightDiskAppears(server: TestServer): Promise<void> {
  const startup = server.onServer("google_metadata_script_runner startup", { ...stranger, timeoutMs: 900_000 });
  await server.succeed(
    'until [ "$(systemctl show -P SubState containarium-disk.service)" = start ]; do sleep 0.2; done',
    stranger,
  );
  await server.vm.attachDataDisk(server.dataDisk);
  const { code, stdout, stderr } = await startup;
  expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
}

/** The server has had its disk, and is switched off. */
export function blankDiskInstead(server: TestServer): void {
  step("from now on a blank disk is refused here, whatever the server is told", async () => {
    server.tell({ dataDiskId: "containarium-vm-jump-1", mayFormat: true });
    const blank = path.join(server.directory, "blank.raw");
    makeDisk(blank, 300 * mib);
    const { status, said } = await server.start(blank).startupEnds();
    expect(said).toMatch(/is blank, but this server has had its data disk/);
    expect(status).not.toBe(0);
    expect(execFileSync("cmp", ["-n", String(300 * mib), blank, "/dev/zero"]).toString()).toBe("");
  });
}

async function expectNoIncus(server: TestServer): Promise<void> {
  const found = await server.succeed(
    `systemctl is-active incus.service incus.socket || true
     ! mountpoint -q /var/lib/incus || echo mounted
     find /var/lib/incus -name '*.db*'`,
    stranger,
  );
  expect(found).toBe("inactive\ninactive");
}
