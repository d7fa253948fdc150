import { spawn } from "node:child_process";
import { once } from "node:events";
import { Sandbox } from "./sandbox";

jest.setTimeout(30_000);

let server: Sandbox;
beforeEach(() => {
  server = new Sandbox();
});
afterEach(() => server.remove());

describe("a disk that was left without its container", () => {
  const mend = () => server.request({ op: "create.mend", user: "al_ice" });
  const disk = "srv/containarium/pool/containers/al-ice-container";

  test("goes", async () => {
    server.write(`${disk}/rootfs/etc/hostname`, "golden\n");
    await server.withIncus([{ name: "other-container" }], () => {
      expect(mend().result).toEqual({ mended: true });
      expect(mend().result).toEqual({ mended: false });
    });
    expect(Object.keys(server.snapshot()).filter((file) => file.startsWith(disk))).toEqual([]);
  });

  test.each(["backup.yaml", "rootfs/etc/containarium/user.json"])(
    "stays where somebody's %s is on it",
    async (file) => {
      server.write(`${disk}/${file}`, "theirs\n");
      await server.withIncus([], () => {
        expect(mend().error).toMatchObject({ code: "failed", remedy: expect.stringContaining("incus admin recover") });
      });
      expect(server.read(`${disk}/${file}`)).toBe("theirs\n");
    },
  );

  test("stays where there is the container", async () => {
    server.write(`${disk}/rootfs/etc/hostname`, "hers\n");
    await server.withIncus([{ name: "al-ice-container" }], () =>
      expect(mend().error).toMatchObject({ code: "conflict" }),
    );
    expect(server.read(`${disk}/rootfs/etc/hostname`)).toBe("hers\n");
  });

  test("stays while Incus unpacks a backup into it, but not for what is over or somebody else's", async () => {
    const importing = { resources: { instances: ["/1.0/instances/al-ice-container"] } };
    const another = { resources: { instances: ["/1.0/instances/bob-container"] } };
    server.write(`${disk}/rootfs/etc/hostname`, "hers\n");
    server.write("incus-operations.json", JSON.stringify({ running: [another, importing, {}] }));
    await server.withIncus([], () => expect(mend().error).toMatchObject({ code: "conflict" }));
    expect(server.read(`${disk}/rootfs/etc/hostname`)).toBe("hers\n");
    server.write("incus-operations.json", JSON.stringify({ running: [another], success: [importing] }));
    await server.withIncus([], () => expect(mend().result).toEqual({ mended: true }));
  });

  test("on ZFS is looked at, and goes", async () => {
    server.write("etc/containarium/server.json", JSON.stringify({ ...JSON.parse(server.read("etc/containarium/server.json")!), storage: "zfs" })); // prettier-ignore
    await server.withIncus([], () => expect(mend().result).toEqual({ mended: true }));
    const dataset = "containarium/containers/containers/al-ice-container";
    expect(server.calls()).toMatchObject([
      ["zfs", "list", "-H", "-o", "name", dataset],
      ["mount", "-t", "zfs", "-o", "ro,nosuid,nodev,noexec", dataset, expect.any(String)],
      ["umount", expect.any(String)],
      ["zfs", "destroy", "-r", dataset],
    ]);
  });
});

describe("a process for files that nobody reaches", () => {
  const pid = "run/incus/alice-container/forkfile.pid";
  const mend = () => server.request({ op: "files.mend", name: "alice-container" });

  test("is told to end", async () => {
    const ready = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL); print('ready', flush=True); input()";
    const fileServer = spawn("python3", ["-c", ready, "forkfile", "--", "3"]);
    await once(fileServer.stdout, "data");
    server.write(pid, `${fileServer.pid}\n`);
    expect(mend().result).toEqual({ mended: true });
    expect(await once(fileServer, "exit")).toEqual([null, "SIGINT"]);
    expect(mend().result).toEqual({ mended: false });
  });

  test("of which there is none, or whose number somebody else has now, is let be", () => {
    expect(mend().result).toEqual({ mended: false });
    const other = spawn("cat");
    server.write(pid, `${other.pid}\n`);
    expect(mend().result).toEqual({ mended: false });
    expect(other.kill()).toBe(true);
    expect(server.request({ op: "files.mend", name: "../x" }).error).toMatchObject({ code: "invalid" });
  });
});
