import { step } from "./step";
import type { TestServer } from "./test-server";

/**
 * What a second run of the startup must leave as it is: files, services, every command that the pool has seen. Not the
 * record of logins: a test logs in.
 */
const everything = `
  find /etc /usr/local /srv/containarium/ssh /srv/containarium/state -xdev -type f \\
    ! -path '/srv/containarium/state/audit/*' ! -name '*.lock' ! -name '*-' ! -name fail2ban.sqlite3 -print0 | sort -z | xargs -0 sha256sum
  systemctl show -p MainPID incus.service
  incus list -f csv -c nsb4
  zpool history containarium`;

export function firstBoot(server: TestServer): void {
  step("a blank disk becomes the data disk, and the server says that it is ready", async () => {
    const { status, said } = await server.start().startupEnds();
    expect({ status, said: status === 0 ? "" : said }).toEqual({ status: 0, said: "" });
    expect(server.hostKey).toMatch(/^ssh-ed25519 /);
    expect(server.metadata.written["containarium/ready"]).toMatch(/^[0-9a-f]{64}$/);
  });

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

  step("alice gets a container, and SSH answers her through her jump account", async () => {
    await server.ops(
      "create",
      "alice",
      "--ssh-key",
      "alice.pub",
      "--cpu",
      "2",
      "--memory",
      "1GiB",
      "--disk-quota",
      "2GiB",
    );
    await server.ops("export", "alice", "--key", "alice", "--output", "alice.conf");
    expect(await server.ssh("echo precious > note && sync && whoami")).toMatchObject({ code: 0, stdout: "alice\n" });
  });

  step("her container is a copy-on-write clone of the golden image", async () => {
    const origin = "zfs get -H -o value origin containarium/containers/containers/alice-container";
    expect(await server.succeed(origin)).toMatch(/^containarium\/containers\/images\/[0-9a-f]{64}@readonly$/);
  });

  step("a second run of the startup changes nothing", async () => {
    const before = await server.succeed(everything);
    await server.succeed("google_metadata_script_runner startup", { timeoutMs: 900_000 });
    expect(await server.succeed(everything)).toBe(before);
  });
}
