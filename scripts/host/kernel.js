"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { packageRoot } = require("../paths");
const { SetupError } = require("../setup-error");
const { asRoot, runAsRoot } = require("./host");

/**
 * @typedef {{name: string, before: number, after: number}} LimitChange
 */

/**
 * Limits of the kernel are shared by all containers of a host: a machine needs here what a server needs. One table for
 * both, startup/kernel-limits.
 * @returns {{name: string, least: number}[]}
 */
function kernelLimits(text = fs.readFileSync(path.join(packageRoot(), "startup", "kernel-limits"), "utf8")) {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => line.trim().split(/\s+/))
    .map(([name = "", least]) => ({ name, least: Number(least) }));
}

/**
 * The limits that are too low. A higher value is never lowered; a limit that this kernel does not have is left out.
 * @param {import("./host").Host} host
 * @returns {LimitChange[]}
 */
function planLimits(host, limits = kernelLimits()) {
  return limits.flatMap(({ name, least }) => {
    const before = valueOf(host, name);
    return before === undefined || before >= least ? [] : [{ name, before, after: least }];
  });
}

/**
 * @param {import("./host").Host} host
 * @param {LimitChange[]} changes
 * @returns {Promise<{changed: LimitChange[], refused: LimitChange[]}>} `refused`: this host does not let us
 */
async function setLimits(host, changes) {
  /** @type {{changed: LimitChange[], refused: LimitChange[]}} */
  const result = { changed: [], refused: [] };
  for (const change of changes) {
    const { code } = await host.run(asRoot(host, ["tee", fileOf(change.name)]), { input: `${change.after}\n` });
    result[code === 0 ? "changed" : "refused"].push(change);
  }
  return result;
}

/**
 * Puts back what `setLimits` changed; what somebody else has changed since is left alone.
 * @param {import("./host").Host} host
 * @param {LimitChange[]} changes
 * @returns {Promise<LimitChange[]>} what was put back
 */
async function restoreLimits(host, changes) {
  const ours = changes.filter(({ name, after }) => valueOf(host, name) === after);
  const { changed } = await setLimits(host, ours.map(({ name, before, after }) => ({ name, before: after, after: before }))); // prettier-ignore
  return changed;
}

const bridgeFilter = "/proc/sys/net/bridge/bridge-nf-call-ip6tables";

/**
 * Modules that a machine cannot load by itself and that nothing loads for it. Incus leaves this one to the
 * administrator, and refuses to start a container that is kept from forging IPv6 addresses.
 * @param {import("./host").Host} host
 * @returns {"br_netfilter"[]} those that are missing
 */
function planModules(host) {
  return host.exists(bridgeFilter) ? [] : ["br_netfilter"];
}

/**
 * Every network namespace has its own switches, on at first. Off for this host's own, its bridges (of virtual machines,
 * say) carry on as before; the machines have theirs.
 * @param {import("./host").Host} host
 * @param {"br_netfilter"[]} modules
 */
async function loadModules(host, modules) {
  for (const name of modules) {
    await runAsRoot(host, ["modprobe", name], {
      failure: `this kernel has no ${name}, by which a machine keeps people's containers from forging addresses`,
      remedy: "A Debian or Ubuntu kernel has it; a trimmed one (some clouds, some sandboxes) may not.",
    });
    for (const family of ["arptables", "ip6tables", "iptables"]) {
      await host.run(asRoot(host, ["tee", bridgeFilter.replace("ip6tables", family)]), { input: "0\n" });
    }
  }
}

/**
 * @param {import("./host").Host} host
 * @throws {SetupError} when the kernel lacks what the machines' storage needs
 */
async function requireKernel(host) {
  if (!(host.read("/proc/filesystems") ?? "").includes("\tbtrfs\n")) {
    await runAsRoot(host, ["modprobe", "btrfs"], {
      failure: "this kernel has no btrfs, on which the machines' storage lives",
      remedy: "A Debian or Ubuntu kernel has it; a trimmed one (some clouds, some sandboxes) may not.",
    });
  }
  if (!host.exists("/dev/loop-control")) await host.run(asRoot(host, ["modprobe", "loop"]));
  if (host.exists("/dev/loop-control")) return;
  throw new SetupError("this host has no loop devices (/dev/loop-control is missing)", {
    remedy:
      "In a container? Containarium's local machines need a real or virtual machine, or a container with its host's loop devices.",
  });
}

/** @param {import("./host").Host} host @param {string} name */
function valueOf(host, name) {
  const text = host.read(fileOf(name));
  return text === undefined || !/^\s*\d+\s*$/.test(text) ? undefined : Number(text);
}

/** @param {string} name */
function fileOf(name) {
  return `/proc/sys/${name.replaceAll(".", "/")}`;
}

module.exports = { kernelLimits, loadModules, planLimits, planModules, requireKernel, restoreLimits, setLimits };
