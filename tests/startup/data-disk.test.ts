/** What startup/data-disk.sh decides, with stand-ins for ZFS and the kernel. What it does is tried in tests/vm. */
import { truncateSync } from "node:fs";
import path from "node:path";

import { type Answer, StandIns } from "./stand-ins";

const id = "containarium-prod-jump-1";
const gib = 1024 ** 3;
const commands = ["blkid", "blockdev", "btrfs", "dkms", "mkfs.btrfs", "modprobe", "mount", "mountpoint", "udevadm", "uname", "zdb", "zfs", "zpool"]; // prettier-ignore
const mark = "var/lib/containarium/data-disk-id";

const blank: Answer[] = [{ to: "blkid*", exit: 2 }];
const noPool: Answer[] = [{ to: "zpool\\ list*", exit: 1 }];
const partitioned: Answer[] = [
  { to: "blkid*PTTYPE*", says: "gpt" },
  { to: "blkid*TYPE*", exit: 2 },
];
const ours: Answer[] = [
  ...partitioned,
  ...noPool,
  { to: "zdb*", says: "    version: 5000\n    name: 'containarium'" },
  { to: "zfs\\ get*", says: id },
];

// Each run starts some twenty programs, which takes a while when all tests run at once.
jest.setTimeout(30_000);

let server: StandIns | undefined;
afterEach(() => server?.remove());

/** A server with a data disk; its size is 1 GiB, all of it in use. */
function serverWith(answers: Answer[], told: Record<string, unknown> = {}): StandIns {
  server = new StandIns(commands, [...answers, { to: "blockdev*", says: String(gib) }]);
  server.write("disk", "");
  truncateSync(path.join(server.root, "disk"), gib);
  const values = { name: "jump-1", dataDisk: path.join(server.root, "disk"), dataDiskId: id, mayFormat: true, storage: "zfs" }; // prettier-ignore
  server.write("etc/containarium/server.json", JSON.stringify({ ...values, ...told }));
  return server;
}

const writes = /^(zpool (create|import|online|destroy)|zfs (create|destroy|set)|mkfs|mount )/;

/** Refused, and nothing was called that could have changed a disk. */
function expectRefused(standIns: StandIns, reason: RegExp, allowed: string[] = []): void {
  const { code, stderr, calls } = standIns.run("data-disk.sh");
  expect(stderr).toMatch(reason);
  expect(stderr).toMatch(/^data disk refused: /m);
  expect(code).toBe(1);
  expect(calls.filter((call) => writes.test(call))).toEqual(allowed);
}

const readOnlyImport = "zpool import -f -N -o readonly=on -o cachefile=none -d /disk-part1 containarium";

describe("a blank disk", () => {
  test("becomes the pool where it is new, with its identity from the first moment", () => {
    const standIns = serverWith([...blank, { to: "zfs\\ list*", exit: 1 }]);
    const { code, calls } = standIns.run("data-disk.sh");
    expect(calls.filter((call) => writes.test(call))).toEqual([
      "zpool create -o ashift=12 -o autoexpand=on -o cachefile=none -o compatibility=openzfs-2.2-linux " +
        `-O containarium:disk-id=${id} -O mountpoint=none -O compression=lz4 -O atime=off -O xattr=sa ` +
        "-O acltype=posixacl containarium /disk",
      "zfs create -o mountpoint=legacy -o refreservation=512M containarium/server",
      "mount -t zfs containarium/server /srv/containarium",
      "mount --bind /srv/containarium/incus /var/lib/incus",
    ]);
    expect(code).toBe(0);
    expect(standIns.read(mark)).toBe(`${id}\n`);
  });

  test.each(["btrfs", "zfs"])("is refused where there must be data (%s)", (storage) => {
    const standIns = serverWith(blank, { storage, mayFormat: false });
    expectRefused(standIns, /is blank, but the disk of jump-1 has data/);
    expect(standIns.read(mark)).toBeUndefined();
  });

  test.each(["btrfs", "zfs"])("is refused where this server has had its disk, whatever it is told (%s)", (storage) => {
    const standIns = serverWith(blank, { storage });
    standIns.write(mark, `${id}\n`);
    expectRefused(standIns, /is blank, but this server has had its data disk \(containarium-prod-jump-1\) before/);
  });

  test("is not blank when anything lies where a pool or a file system keeps its labels", () => {
    const standIns = serverWith([...blank, ...noPool]);
    standIns.write("disk", "data");
    truncateSync(path.join(standIns.root, "disk"), gib);
    expectRefused(standIns, /holds unknown data/);
  });
});

describe("a pool", () => {
  test("of this server is looked at read-only, then imported; its last transactions are never given up", () => {
    const standIns = serverWith(ours, { mayFormat: false });
    const { code, calls } = standIns.run("data-disk.sh");
    expect(calls.filter((call) => /^zpool (import|export)|^zfs get/.test(call))).toEqual([
      readOnlyImport,
      "zfs get -H -o value containarium:disk-id containarium",
      "zpool export containarium",
      "zpool import -f -N -o cachefile=none -d /disk-part1 containarium",
    ]);
    expect(calls.filter((call) => /create|destroy| -F/.test(call))).toEqual([]);
    expect(code).toBe(0);
    expect(standIns.read(mark)).toBe(`${id}\n`);
  });

  test("of another server is refused after a look at it", () => {
    const theirs = [{ to: "zfs\\ get*", says: "containarium-prod-jump-2" }, ...ours];
    expectRefused(serverWith(theirs), /holds the disk containarium-prod-jump-2, not the disk of jump-1/, [
      readOnlyImport,
    ]);
  });

  test("by another name is refused by its label alone", () => {
    const foreign = [{ to: "zdb*", says: "    name: 'tank'" }, ...ours];
    expectRefused(serverWith(foreign), /holds the pool tank, not the disk of jump-1/);
  });

  test("that cannot be imported is refused, with ZFS' own words", () => {
    const broken = [{ to: "zpool\\ import*", complains: "cannot import: I/O error", exit: 1 }, ...ours];
    expectRefused(serverWith(broken), /cannot be imported: cannot import: I\/O error\. It was not touched/, [
      readOnlyImport,
    ]);
  });

  test("without the server's own dataset is completed where it is new, and refused where it is not", () => {
    const cutOff = [{ to: "zfs\\ list*", exit: 1 }, ...ours];
    const standIns = serverWith(cutOff);
    expect(standIns.run("data-disk.sh").calls.join("\n")).toContain("zfs create -o mountpoint=legacy");
    standIns.remove();
    const known = serverWith(cutOff, { mayFormat: false });
    const { code, calls } = known.run("data-disk.sh");
    expect(calls.filter((call) => /create|^mount /.test(call))).toEqual([]);
    expect(code).toBe(1);
  });

  test.each([
    ["used when it is this disk's", "ROOT/disk-part1", id, 0],
    ["refused when it is another disk's", "/dev/vdx1", id, 1],
    ["refused when it is another server's", "ROOT/disk-part1", "containarium-prod-jump-2", 1],
  ])("that is imported already is %s", (_what, device, found, expected) => {
    const imported = [...partitioned, { to: "zfs\\ get*", says: found }, { to: "zpool\\ status*", says: device }];
    const { code, stderr, calls } = serverWith(imported).run("data-disk.sh");
    expect(calls.filter((call) => /^zpool (import|export|create)/.test(call))).toEqual([]);
    expect(stderr).toMatch(expected === 0 ? /^$/ : /is imported, but not from \/disk/);
    expect(code).toBe(expected);
  });
});

describe("other disks", () => {
  test.each<[string, Answer[], RegExp]>([
    [
      "a foreign file system",
      [
        { to: "blkid*PTTYPE*", exit: 2 },
        { to: "blkid*TYPE*", says: "ext4" },
      ],
      /holds ext4/,
    ],
    ["a partition table", [...partitioned, { to: "zdb*", exit: 1 }], /holds a partition table without a pool/],
  ])("%s is refused", (_what, answers, reason) => {
    expectRefused(serverWith([...answers, ...noPool]), reason);
  });

  test("one that never appears is refused within the limit", () => {
    expectRefused(serverWith([{ to: "blockdev*", exit: 1 }]), /\/disk did not appear within 1 s/);
  });
});

describe("growing", () => {
  const sizes = (disk: number, part: number): Answer[] => [
    { to: "blockdev*-part1", says: String(part) },
    { to: "blockdev*", says: String(disk) },
  ];
  const online = (standIns: StandIns) => standIns.run("data-disk.sh").calls.filter((call) => /online/.test(call));

  test("takes the whole of a disk that has become larger", () => {
    expect(online(serverWith([...sizes(2 * gib, gib), ...ours]))).toEqual(["zpool online -e containarium /disk"]);
  });

  test("does nothing where only ZFS' own margin is left", () => {
    expect(online(serverWith([...sizes(gib, gib - 10 * 1024 ** 2), ...ours]))).toEqual([]);
  });
});

describe("the kernel's module", () => {
  const missing = [
    { to: "modprobe*", complains: "modprobe: FATAL: Module zfs not found", exit: 1 },
    { to: "uname*", says: "6.12.1-cloud" },
  ];

  test("that is missing is compiled; where that fails, it is said what to do, and the disk is not looked at", () => {
    const standIns = serverWith([...missing, ...ours]);
    expectRefused(standIns, /the kernel 6\.12\.1-cloud has no ZFS module \(modprobe: FATAL[^)]*\)[^]*linux-headers-6/);
    expect(standIns.read("calls")).toContain("dkms autoinstall -k 6.12.1-cloud");
    expect(standIns.read("calls")).not.toContain("blkid");
  });
});

test("a storage that does not exist is refused", () => {
  expectRefused(serverWith(blank, { storage: "dir" }), /there is no storage dir/);
});

test("a disk that is in place already is left alone", () => {
  const standIns = serverWith(ours);
  standIns.run("data-disk.sh");
  const { code, calls } = standIns.run("data-disk.sh");
  expect(code).toBe(0);
  expect(calls.filter((call) => writes.test(call))).toEqual([]);
});
