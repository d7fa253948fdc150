import { statSync } from "node:fs";

import { step } from "./step";
import type { TestServer } from "./test-server";

const mib = 1024 ** 2;
const dataset = "containarium/containers/containers/alice-container";
/** Random, because ZFS counts what is left after compression. */
const write = (name: string, megabytes: number) =>
  `dd if=/dev/urandom of=${name} bs=1M count=${megabytes} iflag=fullblock conv=fsync status=none`;

export function growth(server: TestServer): void {
  const size = async () => Number(await server.succeed("zpool list -Hp -o size containarium"));

  step("a disk that was grown is used whole, at once and without a reboot; only once", async () => {
    const [before, disk] = [await size(), statSync(server.dataDisk).size];
    await server.vm.growDataDisk(disk + 1024 * mib);
    await server.succeed("/usr/local/lib/containarium/data-disk.sh");
    expect((await size()) - before).toBeGreaterThan(900 * mib);
    const history = "zpool history containarium | grep -c online";
    const grown = await server.succeed(history);
    await server.succeed("/usr/local/lib/containarium/data-disk.sh");
    expect(await server.succeed(history)).toBe(grown);
  });
}

export function quota(server: TestServer): void {
  step("a quota holds, and snapshots do not count", async () => {
    expect(await server.ssh(write("first", 16))).toMatchObject({ code: 0 });
    await server.succeed("incus snapshot create alice-container before");
    expect(await server.ssh(`rm first && ${write("second", 16)}`)).toMatchObject({ code: 0 });
    // Until then it is in the intent log, which counts for nobody.
    const referenced = Number(
      await server.succeed(`zpool sync containarium; zfs get -Hp -o value referenced ${dataset}`),
    );
    // Close to the limit ZFS lets through little at a time: the less there is to write, the sooner it refuses.
    const limit = Math.ceil(referenced / mib) * mib + 4 * mib;
    await server.succeed(`incus config device set alice-container root size=${limit}`);
    expect(await server.succeed(`zfs get -Hp -o property,value refquota,quota ${dataset} | paste -sd' '`)).toBe(
      `refquota\t${limit} quota\t0`,
    );
    // What is in the snapshot would be over the limit four times.
    expect(await server.ssh(write("small", 1))).toMatchObject({ code: 0 });
    const refused = await server.ssh(write("third", 16));
    expect(refused.stderr).toMatch(/Disk quota exceeded|No space left/);
    expect(refused.code).not.toBe(0);
    await server.succeed("incus config device set alice-container root size=2GiB");
    expect(await server.ssh("rm -f second small third")).toMatchObject({ code: 0 });
    await server.succeed("incus snapshot delete alice-container before");
  });
}
