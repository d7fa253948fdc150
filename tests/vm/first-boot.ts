import { step } from "./step";
import type { TestServer } from "./test-server";

export function blankDisk(server: TestServer): void {
  step("a blank disk becomes the data disk, and the server says that it is ready", async () => {
    await server.comesUp();
    expect(server.hostKey).toMatch(/^ssh-ed25519 /);
    expect(server.metadata.written["containarium/ready"]).toMatch(/^[0-9a-f]{64}$/);
  });
}

export function pool(server: TestServer): void {
  step("the pool is one on the whole disk, known by its id, and nobody's but the script's", async () => {
    const of = (kind: string, names: string, target: string) =>
      server.succeed(`${kind} get -H -o property,value ${names} ${target} | paste -sd' '`);
    expect(await of("zpool", "ashift,autoexpand,cachefile,health,compatibility", "containarium")).toBe(
      "ashift\t12 autoexpand\ton cachefile\tnone health\tONLINE compatibility\topenzfs-2.2-linux",
    );
    expect(await of("zfs", "compression,atime,xattr,acltype,containarium:disk-id", "containarium")).toMatch(
      /^compression\tlz4 atime\toff xattr\t(sa|on) acltype\tposix containarium:disk-id\tcontainarium-vm-jump-1$/,
    );
    expect(await server.succeed("findmnt -n -o SOURCE /srv/containarium; findmnt -n -o SOURCE /var/lib/incus")).toBe(
      "containarium/server\ncontainarium/server[/incus]",
    );
    expect(await server.succeed("cat /var/lib/containarium/data-disk-id")).toBe("containarium-vm-jump-1");
    // Either would import whatever it finds, foreign pools too.
    expect(await server.succeed("systemctl is-enabled zfs-import-scan.service || true; ls /etc/zfs/zpool.cache || true")).toBe("disabled"); // prettier-ignore
  });
}
