import { mkdtempSync, rmSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import {
  describePlan,
  freeSubnet,
  recordLimits,
  recordedLimits,
  refuseTakenSubnet,
  setUpHost,
} from "../../scripts/host-setup";
import { needed } from "../../scripts/host/packages";
import { fakeHost } from "./fake-host";

const installedAll = { stdout: needed.map(({ name }) => `installed ${name}\n`).join("") };
const kernel = {
  "/proc/filesystems": "\tbtrfs\n",
  "/dev/loop-control": "",
  "/proc/sys/net/bridge/bridge-nf-call-ip6tables": "1\n",
  "/var/lib/lxcfs/proc/meminfo": "",
};
const keys = "/proc/sys/kernel/keys/maxkeys";

describe("with a project folder", () => {
  let projectDirectory: string;
  beforeEach(() => (projectDirectory = mkdtempSync(path.join(os.tmpdir(), "containarium-host-"))));
  afterEach(() => rmSync(projectDirectory, { recursive: true }));

  const options = () => {
    const said: string[] = [];
    return { said, projectDirectory, interactive: false, say: (line: string) => void said.push(line) };
  };

  it("says what it will change before it does, and remembers what was there", async () => {
    const given = options();
    const host = fakeHost({
      files: { ...kernel, [keys]: "200\n" },
      answers: {
        "dpkg-query": installedAll,
        "incus query": {},
        tee: () => {
          expect(given.said.join("\n")).toContain("raise kernel.keys.maxkeys 200 -> 20000");
          return {};
        },
      },
    });
    await setUpHost({ ...given, host });
    expect(host.inputs.get(`tee ${keys}`)).toBe("20000\n");
    expect(recordedLimits(projectDirectory)).toEqual([{ name: "kernel.keys.maxkeys", before: 200, after: 20000 }]);
  });

  it("loads the module that machines filter with, and keeps it off this host's own bridges", async () => {
    const given = options();
    const files = Object.fromEntries(Object.entries(kernel).filter(([file]) => !file.includes("/net/bridge/")));
    const answers = { "dpkg-query": installedAll, "incus query": {}, "modprobe br_netfilter": {}, tee: {} };
    const host = fakeHost({ files, answers });
    await setUpHost({ ...given, host });
    expect(given.said.join("\n")).toMatch(/load +br_netfilter/);
    const switches = ["arptables", "ip6tables", "iptables"].map(
      (name) => `tee /proc/sys/net/bridge/bridge-nf-call-${name}`,
    );
    const changes = host.commands.filter((command) => /^(modprobe|tee) /.test(command));
    expect(changes).toEqual(["modprobe br_netfilter", ...switches]);
    expect(switches.map((command) => host.inputs.get(command))).toEqual(["0\n", "0\n", "0\n"]);
  });

  it("does and says nothing where there is nothing to do", async () => {
    const given = options();
    const host = fakeHost({ files: kernel, answers: { "dpkg-query": installedAll, "incus query": {} } });
    expect(await setUpHost({ ...given, host })).toBe("nothing to do");
    expect(given.said).toEqual([]);
  });

  it("warns where the kernel's limits cannot be raised, and goes on", async () => {
    const given = options();
    const answers = { "dpkg-query": installedAll, "incus query": {}, tee: { code: 1 } };
    await setUpHost({ ...given, host: fakeHost({ files: { ...kernel, [keys]: "200\n" }, answers }) });
    expect(given.said.join("\n")).toMatch(/does not let us raise kernel\.keys\.maxkeys/);
  });

  it("refuses a user without root's rights before anything else", async () => {
    const host = fakeHost({ uid: 1000, answers: { "sudo -n true": { code: 1 } } });
    await expect(setUpHost({ ...options(), host })).rejects.toMatchObject({ remedy: expect.stringContaining("sudo") });
    expect(host.commands).toEqual(["sudo -n true"]);
  });

  it("keeps the oldest value of a limit, however often it runs", () => {
    recordLimits(projectDirectory, [{ name: "a", before: 1, after: 5 }]);
    recordLimits(projectDirectory, [{ name: "a", before: 2, after: 9 }, { name: "b", before: 3, after: 4 }]); // prettier-ignore
    expect(recordedLimits(projectDirectory)).toEqual([{ name: "a", before: 1, after: 9 }, { name: "b", before: 3, after: 4 }]); // prettier-ignore
  });
});

it("describePlan is empty for an empty plan", () => {
  expect(describePlan({ packages: { install: [] }, modules: [], limits: [], daemons: [] })).toEqual([]);
});

describe("subnets of a real host's answers", () => {
  const answers = {
    "ip -j -4 route show table all": {
      stdout: '[{"dst":"default","dev":"eth0"},{"dst":"10.88.0.0/24","dev":"containarium0"}]',
    },
    "ip -j -4 address": { stdout: "[]" },
  };

  it("freeSubnet takes one that is free, and for another fleet another", async () => {
    const picked = await Promise.all(["one", "two"].map((fleet) => freeSubnet(fleet, fakeHost({ answers }))));
    for (const subnet of picked) expect(subnet).toMatch(/^10\.88\.([1-9]|\d\d+)\.0\/24$/);
    expect(picked[0]).not.toBe(picked[1]);
  });

  it("a configured subnet may be used by our own bridge and by nobody else", async () => {
    await refuseTakenSubnet("10.88.0.0/24", "containarium0", fakeHost({ answers }));
    await expect(refuseTakenSubnet("10.88.0.0/24", "ctm-other", fakeHost({ answers }))).rejects.toThrow(
      /containarium0/,
    );
  });
});
