import { expectEverybodyBack } from "./people";
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

export function reboot(server: TestServer): void {
  step("a second run of the startup changes nothing", async () => {
    const before = await server.succeed(everything);
    await server.succeed("google_metadata_script_runner startup", { timeoutMs: 900_000 });
    expect(await server.succeed(everything)).toBe(before);
  });

  step("into a kernel whose ZFS module is not built yet: it is, and everybody is back", async () => {
    server.metadata.written = {};
    // What a new kernel's first boot finds when its installation was cut off.
    await server.succeed("dkms uninstall zfs/$(modinfo -F version zfs | cut -d- -f1) -k $(uname -r)");
    await server.onServer("systemctl --no-block reboot");
    await server.vm.waitFor(/startup-script: begins/, 300);
    const { status, said } = await server.vm.startupEnds();
    expect({ status, said: status === 0 ? "" : said }).toEqual({ status: 0, said: "" });
    expect(server.hostKey).toBe(server.firstHostKey);
    await expectEverybodyBack(server);
  });
}
