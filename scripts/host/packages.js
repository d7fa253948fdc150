"use strict";

const { SetupError } = require("../setup-error");
const { runAsRoot } = require("./host");

/**
 * What a host of the local target needs, and why. `or`: packages that serve as well.
 * @type {readonly {name: string, why: string, or?: string[]}[]}
 */
const needed = [
  { name: "incus-base", why: "runs the machines", or: ["incus"] },
  { name: "incus-client", why: "the incus command", or: ["incus"] },
  { name: "dnsmasq-base", why: "addresses on the machines' bridge" },
  { name: "nftables", why: "the bridge's firewall rules" },
  { name: "btrfs-progs", why: "the machines' storage" },
  { name: "uidmap", why: "user ids of unprivileged containers" },
  { name: "lxcfs", why: "a machine sees its own memory and load" },
  { name: "attr", why: "file attributes in images" },
  { name: "mmdebstrap", why: "builds the images from Debian's packages" },
  { name: "debian-archive-keyring", why: "checks their signatures" },
  { name: "zstd", why: "packs the images" },
  { name: "openssh-client", why: "ssh and ssh-keygen" },
  { name: "rsync", why: "copies between storages" },
  { name: "iproute2", why: "finds a free subnet" },
  { name: "kmod", why: "loads kernel modules" },
  { name: "mount", why: "loop devices for the data disks" },
];

/** Where Incus 6 comes from. `backports`: not in the main archive of that release. */
const releases = [
  { id: "debian", version: "12", backports: "bookworm-backports" },
  { id: "debian", version: "13" },
  { id: "ubuntu", version: "24.04" },
];

const backportsFile = "/etc/apt/sources.list.d/containarium-backports.sources";

const aptSources = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];

/**
 * The mirror that this host has its Debian from: backports lie beside it.
 * @param {import("./host").Host} host
 * @throws {SetupError} when no file of apt's names one
 */
function debianMirror(host) {
  const text = aptSources.map((file) => host.read(file) ?? "").join("\n");
  const mirror = /^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(\S+\/debian)\/?(?:\s|$)/m.exec(text)?.[1];
  if (mirror !== undefined) return mirror;
  throw new SetupError("cannot tell from which mirror this host has its Debian packages", {
    remedy: `Add the suite bookworm-backports to apt's sources yourself (${aptSources[0]}), then the same command again.`,
  });
}

/** @param {string} suite @param {string} mirror */
function backportsSource(suite, mirror) {
  return [
    "# Added by Containarium (npm run quickstart): Incus 6 is not in Debian 12 itself, only in its backports.",
    "# Nothing else is taken from here unless it is asked for. Remove this file when Incus is no longer wanted.",
    "Types: deb",
    `URIs: ${mirror}`,
    `Suites: ${suite}`,
    "Components: main",
    "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
    "",
  ].join("\n");
}

/**
 * @typedef {object} PackagePlan
 * @property {{name: string, why: string}[]} install
 * @property {string} [backports] the suite that has to be added first
 */

/**
 * What is missing, and where it comes from.
 * @param {import("./host").Host} host
 * @returns {Promise<PackagePlan>}
 * @throws {SetupError} on a system for which we do not know
 */
async function planPackages(host) {
  const installed = await installedPackages(host);
  const install = needed.filter(({ name, or }) => ![name, ...(or ?? [])].some((one) => installed.has(one)));
  if (install.length === 0) return { install };
  const release = releaseOf(host);
  if (release === undefined) {
    throw new SetupError("this host has to be Debian 12, Debian 13 or Ubuntu 24.04", {
      log: `missing: ${install.map(({ name }) => name).join(" ")}`,
      remedy: "On another system, install these (Incus 6 or newer) yourself; then the same command again.",
    });
  }
  const wantsIncus = install.some(({ name }) => name.startsWith("incus-"));
  const missingSource = wantsIncus && release.backports !== undefined && !(await hasCandidate(host, "incus-base"));
  return { install, backports: missingSource ? release.backports : undefined };
}

/** @param {import("./host").Host} host @returns {Promise<Set<string>>} */
async function installedPackages(host) {
  const names = [...new Set(needed.flatMap(({ name, or }) => [name, ...(or ?? [])]))];
  // It fails when it does not know one of them, and tells about the others all the same.
  const { stdout } = await host.run([
    "dpkg-query",
    "--show",
    "--showformat=${db:Status-Status} ${Package}\\n",
    ...names,
  ]);
  const lines = stdout.split("\n").map((line) => line.split(" "));
  return new Set(lines.flatMap(([status, name]) => (status === "installed" && name ? [name] : [])));
}

/** @param {import("./host").Host} host */
function releaseOf(host) {
  const fields = Object.fromEntries(
    (host.read("/etc/os-release") ?? "")
      .split("\n")
      .map((line) => line.split("="))
      .map(([key, value]) => [key, value?.replace(/^"|"$/g, "")]),
  );
  return releases.find(({ id, version }) => id === fields.ID && version === fields.VERSION_ID);
}

/** @param {import("./host").Host} host @param {string} name */
async function hasCandidate(host, name) {
  const { stdout } = await host.run(["apt-cache", "policy", name]);
  return /^ {2}Candidate: (?!\(none\))/m.test(stdout);
}

/**
 * @param {import("./host").Host} host
 * @param {PackagePlan} plan
 * @param {{logFile?: string, targetRelease?: string}} [options] `targetRelease`: take them and what they need from there
 */
async function installPackages(host, { install, backports }, { logFile, targetRelease } = {}) {
  if (install.length === 0) return;
  if (backports !== undefined) {
    await runAsRoot(host, ["tee", backportsFile], { input: backportsSource(backports, debianMirror(host)) });
  }
  const apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"];
  const remedy = "Can this host reach its package archive?  Try  apt-get update  by hand, then the same command again.";
  await runAsRoot(host, [...apt, "update"], {
    logFile,
    failure: "the package lists cannot be brought up to date",
    remedy,
  });
  const names = install.map(({ name }) => name);
  const from = targetRelease === undefined ? [] : ["--target-release", targetRelease];
  await runAsRoot(host, [...apt, "install", "--yes", "--no-install-recommends", ...from, ...names], {
    logFile,
    failure: `apt-get could not install ${names.join(" ")}`,
    remedy,
  });
}

module.exports = { backportsFile, backportsSource, installPackages, needed, planPackages };
