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

describe("a container without its disk", () => {
  const name = "alice-container";
  const mend = () => server.request({ op: "disk.mend", name });
  const disk = `srv/containarium/pool/containers/${name}`;
  const stopped = [{ name, status: "Stopped", config: {} }];

  test.each([
    ["where there is nothing", undefined],
    ["where Incus has put a folder in its place", "backup.yaml"],
  ])("gets an empty one: %s", async (_, left) => {
    if (left !== undefined) server.write(`${disk}/${left}`, "");
    await server.withIncus(stopped, () => expect(mend().result).toEqual({ missing: true }));
    expect(server.calls()).toEqual([
      ["btrfs", "subvolume", "create", expect.stringMatching(`/pool/containers/${name}$`)],
    ]);
    expect(server.read(`${disk}/backup.yaml`)).toBeUndefined();
  });

  test.each([
    ["somebody's files are in its place", `${disk}/rootfs/home/alice/thesis`],
    ["it is aside, for a snapshot's", `${disk}.incustmp/rootfs/home/alice/thesis`],
  ])("gets none where %s", async (_, file) => {
    server.write(file, "hers\n");
    await server.withIncus(stopped, () => {
      expect(mend().error).toMatchObject({
        code: "failed",
        remedy: expect.stringMatching(/sudo ls -la .*alice-container/),
      });
    });
    expect(server.read(file)).toBe("hers\n");
    expect(server.calls()).toEqual([]);
  });

  test("gets none while it runs, or while Incus is at it", async () => {
    await server.withIncus([{ name, status: "Running", config: {} }], () =>
      expect(mend().error).toMatchObject({ code: "conflict" }),
    );
    const making = { resources: { instances: [`/1.0/instances/${name}`] } };
    server.write("incus-operations.json", JSON.stringify({ running: [making] }));
    await server.withIncus(stopped, () => expect(mend().error).toMatchObject({ code: "conflict" }));
    expect(server.calls()).toEqual([]);
  });

  test("on ZFS needs none", async () => {
    server.write("etc/containarium/server.json", JSON.stringify({ ...JSON.parse(server.read("etc/containarium/server.json")!), storage: "zfs" })); // prettier-ignore
    await server.withIncus(stopped, () => expect(mend().result).toEqual({ missing: false }));
    const dataset = `containarium/containers/containers/${name}`;
    server.failWith({ program: "zfs", status: 1, stderr: "dataset does not exist", times: 1 });
    await server.withIncus(stopped, () => expect(mend().result).toEqual({ missing: true }));
    expect(server.calls()).toEqual(Array(2).fill(["zfs", "list", "-H", "-o", "name", dataset]));
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
