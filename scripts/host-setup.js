"use strict";

/**
 * Makes this host ready for the local target: packages, kernel limits, daemons. Says what it will do and why, before it
 * does it; does only what is missing.
 */
const fs = require("node:fs");
const path = require("node:path");

const { planDaemons, startDaemons } = require("./host/daemons");
const { requireRoot, runAsRoot, thisHost } = require("./host/host");
const { loadModules, planLimits, planModules, requireKernel, restoreLimits, setLimits } = require("./host/kernel");
const { installPackages, planPackages } = require("./host/packages");
const { candidatesFor, pickSubnet, usersOf } = require("./host/subnet");
const { askPassword, confirm } = require("./terminal");
const { mustRun } = require("./run");
const { SetupError, runMain } = require("./setup-error");

/**
 * @typedef {import("./host/host").Host} Host
 *
 * @typedef {object} HostPlan
 * @property {import("./host/packages").PackagePlan} packages
 * @property {"br_netfilter"[]} modules of the kernel
 * @property {import("./host/kernel").LimitChange[]} limits
 * @property {("lxcfs" | "incus")[]} daemons
 *
 * @typedef {object} SetupOptions
 * @property {string} projectDirectory its `.containarium/host.json` keeps what `quickstart:down` puts back
 * @property {boolean} interactive may questions be asked?
 * @property {boolean} [yes] do not ask
 * @property {(line: string) => void} say
 * @property {Host} [host]
 * @property {string} [logFile] what apt says
 */

/** @param {Host} host @returns {Promise<HostPlan>} */
async function planHost(host) {
  return {
    packages: await planPackages(host),
    modules: planModules(host),
    limits: planLimits(host),
    daemons: await planDaemons(host),
  };
}

/** @param {HostPlan} plan @returns {string[]} empty when there is nothing to do */
function describePlan({ packages, modules, limits, daemons }) {
  return [
    ...(packages.backports ? [`add the package source ${packages.backports} (Debian 12 itself has no Incus 6)`] : []),
    ...packages.install.map(({ name, why }) => `install ${name.padEnd(24)} ${why}`),
    ...modules.map((name) => `load    ${name.padEnd(24)} filters between people's containers (until the next reboot)`),
    ...limits.map(({ name, before, after }) => `raise ${name} ${before} -> ${after} (until the next reboot)`),
    ...daemons.map((name) => `start ${name}`),
  ];
}

/**
 * @param {SetupOptions} options
 * @returns {Promise<string>} in a few words, what was done
 * @throws {SetupError}
 */
async function setUpHost({ projectDirectory, interactive, yes = false, say, host = thisHost(), logFile }) {
  await requireRoot(host, { interactive, askPassword });
  const plan = await planHost(host);
  const lines = describePlan(plan);
  if (lines.length > 0) {
    say("This host is to become the home of local machines. That needs:");
    for (const line of lines) say(`  ${line}`);
    if (interactive && !yes && !(await confirm("Go ahead?"))) {
      throw new SetupError("nothing was changed", {
        remedy: "npm run quickstart -- --yes  goes ahead without asking.",
      });
    }
    await applyPlan(host, plan, { projectDirectory, say, logFile });
  }
  await requireKernel(host);
  return lines.length === 0 ? "nothing to do" : `${lines.length} things done`;
}

/** @param {Host} host @param {HostPlan} plan @param {Pick<SetupOptions, "projectDirectory" | "say" | "logFile">} options */
async function applyPlan(host, plan, { projectDirectory, say, logFile }) {
  await installPackages(host, plan.packages, { logFile });
  await loadModules(host, plan.modules);
  // Written before: a run that is killed here can still be undone.
  recordLimits(projectDirectory, plan.limits);
  const { refused } = await setLimits(host, plan.limits);
  if (refused.length > 0) {
    say(`! this host does not let us raise ${refused.map(({ name }) => name).join(", ")}`);
    say("    A few containers will run; many will not. Raise them where this host's kernel is administered.");
  }
  // Installing may have started them.
  await startDaemons(host, await planDaemons(host));
}

/**
 * Keeps the oldest value: that is the one to go back to, however often quickstart has run since.
 * @param {string} projectDirectory @param {import("./host/kernel").LimitChange[]} changes
 */
function recordLimits(projectDirectory, changes) {
  if (changes.length === 0) return;
  const known = recordedLimits(projectDirectory);
  const merged = new Map(changes.map((change) => [change.name, change]));
  for (const { name, before, after } of known)
    merged.set(name, { name, before, after: merged.get(name)?.after ?? after });
  fs.mkdirSync(path.join(projectDirectory, ".containarium"), { recursive: true, mode: 0o700 });
  const text = JSON.stringify({ schema: 1, kernelLimits: [...merged.values()] }, null, 2);
  fs.writeFileSync(hostFile(projectDirectory), `${text}\n`, { mode: 0o600 });
}

/** @param {string} projectDirectory @returns {import("./host/kernel").LimitChange[]} */
function recordedLimits(projectDirectory) {
  try {
    return JSON.parse(fs.readFileSync(hostFile(projectDirectory), "utf8")).kernelLimits ?? [];
  } catch {
    return [];
  }
}

/** @param {string} projectDirectory */
function hostFile(projectDirectory) {
  return path.join(projectDirectory, ".containarium", "host.json");
}

/**
 * Puts back the kernel limits that `setUpHost` raised for this project.
 * @param {string} projectDirectory
 */
async function restoreHost(projectDirectory, host = thisHost()) {
  return await restoreLimits(host, recordedLimits(projectDirectory));
}

/**
 * A /24 for the machines that nothing on this host uses.
 * @param {string} fleet what tells it from others on this host
 * @returns {Promise<string>}
 * @throws {SetupError}
 */
async function freeSubnet(fleet, host = thisHost()) {
  const { routes, links } = await networkOf(host);
  const subnet = pickSubnet(routes, links, candidatesFor(fleet));
  if (subnet) return subnet;
  throw new SetupError("no free subnet was found for the machines", {
    remedy: "Name one:  npm run pulumi -- config set containarium:localSubnet A.B.C.0/24 --stack local",
  });
}

/**
 * @param {string} subnet @param {string} ownBridge the interface that may use it
 * @throws {SetupError} when somebody else on this host uses it
 */
async function refuseTakenSubnet(subnet, ownBridge, host = thisHost()) {
  const { routes, links } = await networkOf(host);
  const others = usersOf(subnet, routes, links).filter((user) => user !== ownBridge);
  if (others.length === 0) return;
  throw new SetupError(`containarium:localSubnet is ${subnet}, which this host uses already (${others.join(", ")})`, {
    remedy: `Remove the key from the stack's configuration, then  npm run quickstart  picks another. Free here: ${pickSubnet(routes, links)}`,
  });
}

/** @param {Host} host */
async function networkOf(host) {
  const [routes, links] = await Promise.all([
    mustRun(host.run, ["ip", "-j", "-4", "route", "show", "table", "all"]),
    mustRun(host.run, ["ip", "-j", "-4", "address"]),
  ]);
  return { routes: JSON.parse(routes || "[]"), links: JSON.parse(links || "[]") };
}

module.exports = {
  recordLimits,
  applyPlan,
  describePlan,
  freeSubnet,
  planHost,
  recordedLimits,
  refuseTakenSubnet,
  restoreHost,
  runAsRoot,
  setUpHost,
};

if (require.main === module) {
  const { packageRoot } = require("./paths");
  void runMain(async () => {
    const say = (/** @type {string} */ line) => void process.stderr.write(`${line}\n`);
    const yes = process.argv.includes("--yes");
    say(await setUpHost({ projectDirectory: packageRoot(), interactive: process.stdin.isTTY === true, yes, say }));
  });
}
