"use strict";

const { installPackages } = require("../host/packages");
const { SetupError } = require("../setup-error");

/** The first QEMU under whose emulation Debian 13's kernel comes up: 7.2 panics or stalls. */
const oldestQemu = 10;

/** What the VM test needs beside what the local target needs: only this test, so that nobody else has to install it. */
const needed = [
  { name: "qemu-system-x86", why: "runs the VM, emulated" },
  { name: "qemu-utils", why: "its copy-on-write disks" },
];

/**
 * Installs QEMU where it is missing or too old. On Debian 12 it comes from the backports, as Incus does.
 * @param {import("../host/host").Host} host
 * @param {{logFile?: string, onProgress?: (line: string) => void}} [options]
 * @returns {Promise<string>} in a few words, what was done
 * @throws {SetupError} where no such QEMU is to be had
 */
async function ensureQemu(host, { logFile, onProgress } = {}) {
  if (await qemuWorks(host)) return "nothing to do";
  const isDebian12 = /^VERSION_CODENAME=bookworm$/m.test(host.read("/etc/os-release") ?? "");
  const backports = isDebian12 ? "bookworm-backports" : undefined;
  onProgress?.(`installing ${needed.map(({ name, why }) => `${name} (${why})`).join(", ")}`);
  await installPackages(host, { install: needed, backports }, { logFile, targetRelease: backports });
  if (await qemuWorks(host)) return "installed QEMU";
  throw new SetupError(`the VM test needs QEMU ${oldestQemu} or newer`, {
    remedy: "Debian 13 has it, and Debian 12 in its backports. On another system install it yourself.",
  });
}

/** @param {import("../host/host").Host} host */
async function qemuWorks(host) {
  const [version, image] = await Promise.all([
    host.run(["qemu-system-x86_64", "--version"]),
    host.run(["qemu-img", "--version"]),
  ]);
  return image.code === 0 && Number(/version (\d+)\./.exec(version.stdout)?.[1] ?? 0) >= oldestQemu;
}

module.exports = { ensureQemu };
