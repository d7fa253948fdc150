/** What startup/zfs-module.sh decides, with stand-ins for apt, dkms and the kernel. */
import { type Answer, StandIns } from "./stand-ins";

// Each run starts a dozen programs, which takes a while when all tests run at once.
jest.setTimeout(30_000);

const commands = ["apt-get", "dkms", "dpkg", "dpkg-query", "modprobe", "systemctl", "uname"];
const kernel: Answer = { to: "uname*", says: "6.12.95+deb13-cloud-amd64" };
const installed: Answer = { to: "dpkg-query*", says: "installed" };
const notInstalled: Answer = { to: "dpkg-query*", exit: 1 };
const noModule: Answer = { to: "modprobe*", complains: "FATAL: Module zfs not found", exit: 1 };
const marker = "var/lib/containarium/rebooted-for-zfs";

const debianSources = `Types: deb
URIs: mirror+file:/etc/apt/mirrors/debian.list
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

let server: StandIns | undefined;
afterEach(() => server?.remove());

function serverWith(answers: Answer[], id = "debian"): StandIns {
  server = new StandIns(commands, [...answers, kernel]);
  server.write("etc/os-release", `NAME=x\nID=${id}\n`);
  server.write("etc/apt/sources.list.d/debian.sources", debianSources);
  return server;
}

const install =
  "apt-get -o DPkg::Lock::Timeout=300 install -qy --no-install-recommends zfsutils-linux zfs-dkms linux-image-cloud-amd64 linux-headers-cloud-amd64";
const changing = (calls: string[]) => calls.filter((call) => /^(apt-get .*install|dkms|systemctl)/.test(call));

test("where the module is there, nothing is done", () => {
  const { code, calls } = serverWith([installed]).run("zfs-module.sh");
  expect({ code, changed: changing(calls) }).toEqual({ code: 0, changed: [] });
});

test("Debian: contrib from the mirror that it has, kernel and headers together", () => {
  const standIns = serverWith([notInstalled]);
  const { code, calls } = standIns.run("zfs-module.sh");
  expect({ code, changed: changing(calls) }).toEqual({ code: 0, changed: [install] });
  expect(standIns.read("etc/apt/sources.list.d/containarium-contrib.sources")).toBe(
    debianSources.replace("Components: main", "Components: contrib"),
  );
  const again = standIns.read("etc/apt/sources.list.d/containarium-contrib.sources");
  standIns.run("zfs-module.sh");
  expect(standIns.read("etc/apt/sources.list.d/containarium-contrib.sources")).toBe(again);
});

test("Debian with sources on one line each", () => {
  server = new StandIns(commands, [notInstalled, kernel]);
  server.write("etc/os-release", "ID=debian\n");
  server.write("etc/apt/sources.list.d/keep", "");
  server.write(
    "etc/apt/sources.list",
    "# deb http://x y z\ndeb http://deb.debian.org/debian trixie main non-free-firmware\ndeb [signed-by=/k.gpg] http://deb.debian.org/debian-security trixie-security main\n",
  );
  server.run("zfs-module.sh");
  expect(server.read("etc/apt/sources.list.d/containarium-contrib.list")).toBe(
    "deb http://deb.debian.org/debian trixie contrib\ndeb [signed-by=/k.gpg] http://deb.debian.org/debian-security trixie-security contrib\n",
  );
});

test("Ubuntu: its kernels bring the module", () => {
  const { code, calls } = serverWith([notInstalled], "ubuntu").run("zfs-module.sh");
  expect({ code, changed: changing(calls) }).toEqual({
    code: 0,
    changed: ["apt-get -o DPkg::Lock::Timeout=300 install -qy --no-install-recommends zfsutils-linux"],
  });
});

test("a kernel without module and headers: the newest is installed, and one reboot; then it is said what is wrong", () => {
  const standIns = serverWith([installed, noModule]);
  const first = standIns.run("zfs-module.sh");
  expect(changing(first.calls)).toEqual(["dkms autoinstall -k 6.12.95+deb13-cloud-amd64", install, "systemctl reboot"]);
  // Whoever called must not go on: the server is on its way down.
  expect(first.code).toBe(1);
  expect(standIns.read(marker)).toBe("6.12.95+deb13-cloud-amd64\n");

  const second = standIns.run("zfs-module.sh");
  expect(second.calls.filter((call) => call.startsWith("systemctl"))).toEqual([]);
  expect(second.stderr).toMatch(/has no ZFS module, also after a reboot: FATAL: Module zfs not found/);
  expect(second.code).toBe(1);
});

test("after a reboot that helped, the next one is free again", () => {
  const standIns = serverWith([installed]);
  standIns.write(marker, "6.12.1\n");
  expect(standIns.run("zfs-module.sh").code).toBe(0);
  expect(standIns.read(marker)).toBeUndefined();
});

test("a mirror that does not answer: no reboot", () => {
  const silent = { to: "apt-get\\ update*", complains: "cannot reach the mirror", exit: 100 };
  const { code, calls, stderr } = serverWith([installed, noModule, silent]).run("zfs-module.sh");
  expect(calls.filter((call) => call.startsWith("systemctl"))).toEqual([]);
  expect(stderr).toContain("cannot reach the mirror");
  expect(code).not.toBe(0);
});
