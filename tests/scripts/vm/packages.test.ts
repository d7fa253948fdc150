import { ensureQemu } from "../../../scripts/vm/packages";
import { fakeHost } from "../fake-host";

const files = (codename: string) => ({
  "/etc/os-release": `VERSION_CODENAME=${codename}\n`,
  "/etc/apt/sources.list": "deb http://mirror.example/debian bookworm main\n",
});
const version = (major: number) => ({ stdout: `QEMU emulator version ${major}.0.2 (Debian)\n` });

/** A host with this QEMU, or none, on which apt installs that one. */
function hostWith(codename: string, before: number | undefined, after: number) {
  let installed = before;
  return fakeHost({
    files: files(codename),
    answers: {
      "qemu-system-x86_64": () => (installed === undefined ? { code: 127 } : version(installed)),
      "qemu-img": () => (installed === undefined ? { code: 127 } : {}),
      tee: {},
      "env DEBIAN_FRONTEND=noninteractive apt-get": ([...command]) => {
        if (command.includes("install")) installed = after;
        return {};
      },
    },
  });
}

test("a QEMU that is new enough is used", async () => {
  const host = hostWith("trixie", 10, 10);
  expect(await ensureQemu(host)).toBe("nothing to do");
  expect(host.commands.filter((command) => command.includes("apt-get"))).toEqual([]);
});

test.each([
  ["missing on Debian 13", "trixie", undefined, "--no-install-recommends qemu-system-x86 qemu-utils"],
  ["missing on Debian 12", "bookworm", undefined, "--target-release bookworm-backports qemu-system-x86 qemu-utils"],
  ["too old on Debian 12", "bookworm", 7, "--target-release bookworm-backports qemu-system-x86 qemu-utils"],
])("%s: installed from the right archive", async (_what, codename, before, arguments_) => {
  const host = hostWith(codename, before, 10);
  expect(await ensureQemu(host)).toBe("installed QEMU");
  expect(host.commands.find((command) => command.includes("install "))).toContain(arguments_);
});

test("one that stays too old is said to be", async () => {
  await expect(ensureQemu(hostWith("noble", undefined, 8))).rejects.toMatchObject({
    message: "the VM test needs QEMU 10 or newer",
    remedy: expect.stringContaining("Debian 13"),
  });
});
