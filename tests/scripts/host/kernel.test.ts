import {
  kernelLimits,
  loadModules,
  planLimits,
  requireKernel,
  restoreLimits,
  setLimits,
} from "../../../scripts/host/kernel";
import { fakeHost } from "../fake-host";

const maxInstances = "/proc/sys/fs/inotify/max_user_instances";
const limits = [{ name: "fs.inotify.max_user_instances", least: 8192 }];

/** A host whose /proc/sys can be written by `tee`. */
function writableHost(files: Record<string, string>) {
  const host = fakeHost({
    files,
    answers: {
      tee: ([, file = ""], input = "") => {
        host.files.set(file, input);
        return {};
      },
    },
  });
  return host;
}

it("reads one table with the servers: what a machine needs, its host needs", () => {
  const names = kernelLimits().map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["fs.inotify.max_user_instances", "kernel.keys.maxkeys"]));
  expect(kernelLimits().every(({ least }) => least > 0)).toBe(true);
});

describe("planLimits", () => {
  it.each([
    ["raises what is too low", "128\n", [{ name: "fs.inotify.max_user_instances", before: 128, after: 8192 }]],
    ["leaves what is enough", "8192\n", []],
    ["never lowers", "100000\n", []],
  ])("%s", (_what, value, expected) => {
    expect(planLimits(fakeHost({ files: { [maxInstances]: value } }), limits)).toEqual(expected);
  });

  it("leaves out what this kernel does not have", () => {
    expect(planLimits(fakeHost(), limits)).toEqual([]);
  });
});

it("setLimits tells what the host refused", async () => {
  const host = fakeHost({ answers: { tee: { code: 1, stderr: "Read-only file system" } } });
  const change = { name: "fs.inotify.max_user_instances", before: 128, after: 8192 };
  expect(await setLimits(host, [change])).toEqual({ changed: [], refused: [change] });
});

describe("restoreLimits", () => {
  const changes = [{ name: "fs.inotify.max_user_instances", before: 128, after: 8192 }];

  it("puts the old value back", async () => {
    const host = writableHost({ [maxInstances]: "8192\n" });
    await restoreLimits(host, changes);
    expect(host.files.get(maxInstances)).toBe("128\n");
  });

  it("leaves a value alone that somebody else has set since", async () => {
    const host = writableHost({ [maxInstances]: "65536\n" });
    expect(await restoreLimits(host, changes)).toEqual([]);
    expect(host.files.get(maxInstances)).toBe("65536\n");
  });
});

it("loadModules says what a kernel without the module is lacking", async () => {
  const host = fakeHost({ uid: 1000, answers: { "sudo -n modprobe br_netfilter": { code: 1, stderr: "not found" } } });
  await expect(loadModules(host, ["br_netfilter"])).rejects.toThrow(/no br_netfilter/);
});

describe("requireKernel", () => {
  const good = { "/proc/filesystems": "nodev\tproc\n\tbtrfs\n", "/dev/loop-control": "" };

  it("asks for nothing more where btrfs and loop devices are there", async () => {
    const host = fakeHost({ files: good });
    await requireKernel(host);
    expect(host.commands).toEqual([]);
  });

  it("loads btrfs, and says so when there is none", async () => {
    const files = { ...good, "/proc/filesystems": "\text4\n" };
    await requireKernel(fakeHost({ files, answers: { "modprobe btrfs": {} } }));
    const without = fakeHost({ files, answers: { "modprobe btrfs": { code: 1, stderr: "not found" } } });
    await expect(requireKernel(without)).rejects.toThrow(/no btrfs/);
  });

  it("says so when there are no loop devices", async () => {
    const host = fakeHost({ files: { "/proc/filesystems": "\tbtrfs\n" }, answers: { "modprobe loop": { code: 1 } } });
    await expect(requireKernel(host)).rejects.toThrow(/no loop devices/);
  });
});
