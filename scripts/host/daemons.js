"use strict";

const { SetupError } = require("../setup-error");
const { lastLines } = require("../run");
const { asRoot, runAsRoot } = require("./host");

const logDirectory = "/var/log/incus";
const daemonPaths = ["/usr/libexec/incus/incusd", "/opt/incus/bin/incusd", "/usr/bin/incusd"];

/** How long Incus may take to start: it may have a database to bring up to date. */
const readySeconds = 60;

/**
 * What does not run yet.
 * @param {import("./host").Host} host
 * @returns {Promise<("lxcfs" | "incus")[]>}
 */
async function planDaemons(host) {
  /** @type {("lxcfs" | "incus")[]} */
  const missing = [];
  if (!lxcfsRuns(host)) missing.push("lxcfs");
  if (!(await incusAnswers(host))) missing.push("incus");
  return missing;
}

/**
 * Starts them: by systemd where that is in charge, else by hand, detached.
 * @param {import("./host").Host} host
 * @param {("lxcfs" | "incus")[]} daemons
 */
async function startDaemons(host, daemons) {
  // lxcfs first: what Incus starts mounts it.
  const ordered = /** @type {const} */ (["lxcfs", "incus"]).filter((name) => daemons.includes(name));
  for (const name of ordered) await (hasSystemd(host) ? startUnit(host, name) : startByHand(host, name));
  if (!daemons.includes("incus")) return;
  const { code } = await host.run(asRoot(host, [daemonOf(host), "waitready", "--timeout", String(readySeconds)]));
  if (code === 0 && (await incusAnswers(host))) return;
  throw new SetupError("Incus was started, but does not answer", {
    log: await logOf(host),
    remedy: hasSystemd(host) ? "journalctl -u incus" : `Its log:  ${logDirectory}/incusd.log`,
  });
}

/** @param {import("./host").Host} host */
function hasSystemd(host) {
  return host.exists("/run/systemd/system");
}

/** @param {import("./host").Host} host @param {string} name */
async function startUnit(host, name) {
  await runAsRoot(host, ["systemctl", "start", `${name}.service`], {
    failure: `${name} could not be started`,
    remedy: `journalctl -u ${name}`,
  });
}

/** @param {import("./host").Host} host @param {"lxcfs" | "incus"} name */
async function startByHand(host, name) {
  const command =
    name === "lxcfs"
      ? // A mount whose lxcfs was killed stays, and is in the way of the next one.
        "{ umount --lazy /var/lib/lxcfs || true; } && mkdir -p /var/lib/lxcfs && exec setsid --fork lxcfs /var/lib/lxcfs"
      : `exec setsid --fork ${daemonOf(host)} --group incus-admin`;
  const log = `${logDirectory}/${name === "lxcfs" ? "lxcfs" : "incusd"}.log`;
  // The redirection is the shell's: nothing of ours stays open in it, and it outlives us.
  const script = `mkdir -p ${logDirectory} && { ${command}; } >> ${log} 2>&1 < /dev/null`;
  await runAsRoot(host, ["sh", "-c", script], { failure: `${name} could not be started`, remedy: `Its log:  ${log}` });
  for (let tries = 0; name === "lxcfs" && !lxcfsRuns(host) && tries < 50; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * Whether it is mounted, and answers: the mount outlives an lxcfs that was killed, and what Incus starts then sees
 * the memory of the whole host.
 * @param {import("./host").Host} host
 */
function lxcfsRuns(host) {
  return host.exists("/var/lib/lxcfs/proc/meminfo");
}

/** @param {import("./host").Host} host */
async function incusAnswers(host) {
  const { code } = await host.run(asRoot(host, ["incus", "query", "/1.0"]), { timeoutMs: 10_000 });
  return code === 0;
}

/** @param {import("./host").Host} host */
function daemonOf(host) {
  const found = daemonPaths.find((file) => host.exists(file));
  if (found) return found;
  throw new SetupError("incusd is not where it should be", { remedy: `Looked at:  ${daemonPaths.join("  ")}` });
}

/** @param {import("./host").Host} host */
async function logOf(host) {
  const command = hasSystemd(host)
    ? ["journalctl", "-u", "incus", "-n", "15", "--no-pager", "-o", "cat"]
    : ["tail", "-n", "15", `${logDirectory}/incusd.log`];
  return lastLines((await host.run(asRoot(host, command))).stdout);
}

module.exports = { hasSystemd, planDaemons, startDaemons };
