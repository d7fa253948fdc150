import { step } from "./step";
import type { TestServer } from "./test-server";

export function reboot(server: TestServer): void {
  step("into a kernel whose ZFS module is not installed: it is, and everybody is back", async () => {
    const hostKey = server.hostKey;
    server.metadata.written = {};
    // What a new kernel's first boot finds when its installation was cut off.
    await server.succeed("dkms uninstall zfs/$(modinfo -F version zfs | cut -d- -f1) -k $(uname -r)");
    await server.onServer("systemctl --no-block reboot");
    await server.vm.waitFor(/startup-script: begins/, 300);
    const { status, said } = await server.vm.startupEnds();
    expect({ status, said: status === 0 ? "" : said }).toEqual({ status: 0, said: "" });
    expect(server.hostKey).toBe(hostKey);
    expect(await server.ssh("cat note")).toMatchObject({ code: 0, stdout: "precious\n" });
  });
}
