import { step } from "./step";
import type { TestServer } from "./test-server";

const disks = "containarium/containers/containers";
const disk = `${disks}/zoe-container`;
/** What a server that died while Incus copied the image has left: a disk, of which Incus does not know. */
const leave = `zfs clone -o mountpoint=legacy $(zfs get -H -o value origin ${disks}/alice-container) ${disk}`;

export function leftoverDisk(server: TestServer): void {
  step("a disk without a container, with files that somebody had: create refuses, and keeps it", async () => {
    await server.succeed(`${leave}; mount -t zfs ${disk} /mnt; echo of zoe > /mnt/backup.yaml; umount /mnt`);
    await expect(createZoe(server)).rejects.toThrow(/there is a disk of zoe-container with somebody's files/);
    expect(await server.succeed(`mount -t zfs ${disk} /mnt; cat /mnt/backup.yaml; umount /mnt`)).toBe("of zoe");
    await server.succeed(`zfs destroy ${disk}`);
  });

  step("one that nobody ever had is no hindrance", async () => {
    await server.succeed(leave);
    await createZoe(server);
  });

  step(
    "a container without a disk, as a killed Incus leaves it: create makes it anew, and delete removes it",
    async () => {
      const loseDisk = `incus stop -f zoe-container && zfs destroy -r ${disk}`;
      await server.succeed(`incus config set zoe-container user.containarium.state=creating && ${loseDisk}`);
      await createZoe(server);
      // Whoever touches it tries to mount what is not there.
      await server.succeed(`${loseDisk} && ! incus start zoe-container`);
      await server.ops("delete", "zoe", "--force");
      await server.succeed("! incus info zoe-container");
    },
  );
}

function createZoe(server: TestServer): Promise<unknown> {
  return server.ops(
    "create",
    "zoe",
    "--ssh-key",
    "alice.pub",
    "--cpu",
    "1",
    "--memory",
    "512MiB",
    "--disk-quota",
    "1GiB",
  );
}
