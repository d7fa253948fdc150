import { planDaemons, startDaemons } from "../../../scripts/host/daemons";
import { fakeHost } from "../fake-host";

const lxcfsRuns = { "/var/lib/lxcfs/proc/meminfo": "" };
const incusd = "/usr/libexec/incus/incusd";

describe("planDaemons", () => {
  it("finds both running", async () => {
    expect(await planDaemons(fakeHost({ files: lxcfsRuns, answers: { "incus query": {} } }))).toEqual([]);
  });

  it("finds neither", async () => {
    const host = fakeHost({ answers: { "incus query": { code: 1 } } });
    expect(await planDaemons(host)).toEqual(["lxcfs", "incus"]);
  });
});

describe("startDaemons", () => {
  it("takes the mount of a killed lxcfs for what it is", async () => {
    const dead = { "/proc/self/mounts": "lxcfs /var/lib/lxcfs fuse.lxcfs rw 0 0\n" };
    const host = fakeHost({ files: dead, answers: { "incus query": {}, sh: {} } });
    expect(await planDaemons(host)).toEqual(["lxcfs"]);
    host.exists = () => host.commands.some((command) => command.includes("setsid --fork lxcfs"));
    await startDaemons(host, ["lxcfs"]);
    expect(host.commands.at(-1)).toMatch(/umount --lazy \/var\/lib\/lxcfs/);
  });

  it("leaves it to systemd where that is in charge", async () => {
    const host = fakeHost({
      files: { "/run/systemd/system": "", [incusd]: "" },
      answers: { "systemctl start": {}, [incusd]: {}, "incus query": {} },
    });
    await startDaemons(host, ["incus", "lxcfs"]);
    expect(host.commands.slice(0, 2)).toEqual(["systemctl start lxcfs.service", "systemctl start incus.service"]);
  });

  it("starts them by hand elsewhere, detached, lxcfs first, each with its log", async () => {
    const host = fakeHost({
      files: { ...lxcfsRuns, [incusd]: "" },
      answers: { sh: {}, [incusd]: {}, "incus query": {} },
    });
    await startDaemons(host, ["incus", "lxcfs"]);
    expect(host.commands[0]).toMatch(/setsid --fork lxcfs \/var\/lib\/lxcfs; } >> \/var\/log\/incus\/lxcfs\.log/);
    expect(host.commands[1]).toMatch(
      /setsid --fork \/usr\/libexec\/incus\/incusd --group incus-admin; } >> \/var\/log\/incus\/incusd\.log/,
    );
    expect(host.commands[2]).toBe(`${incusd} waitready --timeout 60`);
  });

  it("starts nothing that runs", async () => {
    const host = fakeHost();
    await startDaemons(host, []);
    expect(host.commands).toEqual([]);
  });

  it("shows Incus' own log when it does not come up", async () => {
    const host = fakeHost({
      files: { [incusd]: "" },
      answers: { sh: {}, [incusd]: { code: 1 }, "tail -n": { stdout: "Error: database is locked\n" } },
    });
    await expect(startDaemons(host, ["incus"])).rejects.toMatchObject({ log: "Error: database is locked" });
  });
});
