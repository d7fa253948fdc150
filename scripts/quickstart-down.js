"use strict";

/**
 * `npm run quickstart:down [-- --stack NAME]`: removes every trace of what quickstart made, from whatever state it is
 * in. Installed packages and the cache stay.
 */
const fs = require("node:fs");
const path = require("node:path");

const { findEngine } = require("./engine");
const { withFileLock } = require("./file-lock");
const { ensureFreshBuild } = require("./fresh-build");
const { planDaemons, startDaemons } = require("./host/daemons");
const { asRoot, requireRoot, runAsRoot, thisHost } = require("./host/host");
const { recordedLimits, recordLimits, restoreHost } = require("./host-setup");
const { cacheDirectory, packageRoot } = require("./paths");
const { createProgress } = require("./progress");
const { engine, relevant } = require("./quickstart/engine-run");
const { layout } = require("./quickstart/layout");
const { ensureNodePackages } = require("./quickstart/packages");
const { lastLines, run } = require("./run");
const { SetupError, runMain } = require("./setup-error");
const { keepSudoAlive } = require("./sudo");
const { askPassword, isInteractive } = require("./terminal");

/** The engine goes through people's containers one by one; a machine that does not answer must not hold it up. */
const destroyTimeoutMs = 5 * 60_000;

/**
 * @param {{stack?: string}} options `stack`: only this one; default: every one that quickstart made
 * @param {{root?: string, runner?: import("./run").Runner, progress?: import("./progress").Progress}} [parts]
 */
async function quickstartDown(
  { stack: only },
  { root = packageRoot(), runner = run, progress = createProgress() } = {},
) {
  await requireRoot(thisHost(), { interactive: isInteractive(), askPassword });
  const stopSudo = keepSudoAlive();
  try {
    const stacks = only === undefined ? quickstartStacks(root) : [only];
    await progress.phase(
      "Code to remove it with",
      () => prepare(root, runner),
      (result) => result,
    );
    for (const stack of stacks) {
      await removeStack({ root, stack, runner, progress, files: layout(root, stack) });
    }
    const others = [...new Set([...savedStacks(root), ...stacksIn(root)])];
    if (others.length > 0) return `Other stacks have their state here, so .containarium stays: ${others.join(", ")}`;
    await progress.phase(
      "This host",
      () => restoreKernel(root),
      (result) => result,
    );
    await progress.phase(
      "Files",
      () => fs.rmSync(path.join(root, ".containarium"), { recursive: true, force: true }),
      () => "removed .containarium",
    );
    return `Everything is removed. Installed packages stay, and the cache:  ${cacheDirectory()}`;
  } finally {
    stopSudo();
  }
}

/**
 * What removes machines is compiled code. Code that does not compile now may have been built before; that one will do.
 * @param {string} root @param {import("./run").Runner} runner
 */
async function prepare(root, runner) {
  try {
    await ensureNodePackages({ root, runner });
    return (await ensureFreshBuild(root, { runner })) ? "built" : "there";
  } catch (error) {
    if (fs.existsSync(path.join(root, "dist", "components", "local", "teardown.js"))) return "older build";
    throw error;
  }
}

/** @param {import("./quickstart/layout").Quickstart} quickstart */
async function removeStack(quickstart) {
  const { stack, progress, files } = quickstart;
  await progress.phase(
    `pulumi destroy ${stack}`,
    () => destroy(quickstart),
    (result) => result,
  );
  await progress.phase(
    `Machines of ${stack}`,
    () => removeMachines(quickstart),
    (result) => result,
  );
  await progress.phase(
    `Stack ${stack}`,
    () => forgetStack(quickstart),
    () => `restored ${path.basename(files.stackConfig)}`,
  );
}

/**
 * The orderly way, as far as it goes; what it cannot do is done by `removeEverything`.
 * @param {import("./quickstart/layout").Quickstart} quickstart
 * @returns {Promise<string>}
 */
async function destroy(quickstart) {
  const { stack, files, progress } = quickstart;
  if (!fs.existsSync(stateFile(quickstart))) return "not there";
  if (findEngine() === undefined) return "skipped: no engine";
  await engine(quickstart, ["cancel", "--yes", "--stack", stack]);
  fs.mkdirSync(files.logs, { recursive: true });
  const logFile = path.join(files.logs, "destroy.log");
  const args = ["destroy", "--yes", "--skip-preview", "--stack", stack];
  const { code, stdout, stderr } = await engine(quickstart, args, { timeoutMs: destroyTimeoutMs, logFile });
  if (code === 0) return "done";
  for (const line of lastLines(relevant(`${stdout}\n${stderr}`), 4).split("\n")) progress.note(line.trim());
  return "in part; the rest follows";
}

/** @param {import("./quickstart/layout").Quickstart} quickstart @returns {Promise<string>} */
async function removeMachines({ root, stack, progress, files }) {
  const host = thisHost();
  if ((await host.run(["incus", "--version"])).code !== 0) {
    await detachDisks(path.join(files.directory, "disks"));
    return "skipped: Incus is not installed";
  }
  await startDaemons(host, await planDaemons(host));
  const teardown = require(path.join(root, "dist", "components", "local", "teardown.js"));
  await teardown.removeEverything({ projectDirectory: root, stack, onProgress: progress.note });
  return "nothing left";
}

/** A deleted file stays on the disk as long as a loop device holds it. @param {string} directory */
async function detachDisks(directory) {
  const host = thisHost();
  for (const name of fs.existsSync(directory) ? fs.readdirSync(directory) : []) {
    const list = asRoot(host, [
      "losetup",
      "--associated",
      path.join(directory, name),
      "--noheadings",
      "--output",
      "NAME",
    ]);
    for (const device of (await host.run(list)).stdout.split("\n").filter(Boolean)) {
      await runAsRoot(host, ["losetup", "--detach", device]);
    }
  }
}

/** @param {import("./quickstart/layout").Quickstart} quickstart */
async function forgetStack(quickstart) {
  const { stack, files } = quickstart;
  if (fs.existsSync(stateFile(quickstart)) && findEngine() !== undefined) {
    await engine(quickstart, ["stack", "rm", stack, "--force", "--yes", "--preserve-config"]);
  }
  // Whether or not the engine could: nothing that this state tells of exists any more.
  for (const name of [`${stack}.json`, `${stack}.json.bak`, `${stack}.json.attrs`]) {
    fs.rmSync(path.join(path.dirname(stateFile(quickstart)), name), { force: true });
  }
  restoreConfig(files);
  for (const file of [files.sshConfig, `${files.sshConfig}.known_hosts`]) fs.rmSync(file, { force: true });
}

/** @param {ReturnType<typeof layout>} files */
function restoreConfig({ savedConfig, stackConfig }) {
  if (!fs.existsSync(savedConfig)) return;
  const before = fs.readFileSync(savedConfig);
  if (before.length === 0) fs.rmSync(stackConfig, { force: true });
  else fs.writeFileSync(stackConfig, before);
  fs.rmSync(savedConfig);
}

/** @param {import("./quickstart/layout").Quickstart} quickstart */
function stateFile({ files, stack }) {
  return path.join(files.state, ".pulumi", "stacks", "containarium", `${stack}.json`);
}

/**
 * `local`, known or not, and every other stack that quickstart made. Never one that somebody made by himself: it may
 * keep its state here and have its servers in a cloud.
 * @param {string} root
 */
function quickstartStacks(root) {
  return [...new Set(["local", ...savedStacks(root)])].sort();
}

/** @param {string} root */
function savedStacks(root) {
  return namesIn(path.dirname(layout(root, "local").savedConfig), /^Pulumi\.(.+)\.yaml$/);
}

/** Stacks whose state is in this folder. @param {string} root */
function stacksIn(root) {
  return namesIn(path.join(layout(root, "local").state, ".pulumi", "stacks", "containarium"), /^([^.]+)\.json$/);
}

/** @param {string} directory @param {RegExp} pattern */
function namesIn(directory, pattern) {
  if (!fs.existsSync(directory)) return [];
  return fs.readdirSync(directory).flatMap((name) => pattern.exec(name)?.[1] ?? []);
}

/**
 * Kernel limits are the whole host's. While another fleet of ours is up they stay, and that fleet's folder takes over
 * the memory of what they were.
 * @param {string} root
 */
async function restoreKernel(root) {
  const host = thisHost();
  const { stdout } = await host.run(asRoot(host, ["incus", "query", "/1.0/instances?recursion=1"]));
  const [heir] = otherFleets(stdout, root);
  if (heir !== undefined) {
    recordLimits(heir, recordedLimits(root));
    return `kernel limits stay: the fleet of ${heir} runs here`;
  }
  const restored = await restoreHost(root, host);
  return restored.length === 0 ? "nothing to put back" : `put back ${restored.map(({ name }) => name).join(", ")}`;
}

/** Folders of other checkouts that have machines on this host; see components/local/owner.ts. @param {string} instances @param {string} root @returns {string[]} */
function otherFleets(instances, root) {
  const owners = [...instances.matchAll(/"user\.containarium\.owner":\s*"[^":]*:([^"]+)"/g)].map(
    ([, folder]) => folder ?? "",
  );
  return owners.filter((folder) => folder !== root && fs.existsSync(folder));
}

module.exports = { otherFleets, quickstartDown, quickstartStacks, stacksIn };

if (require.main === module) {
  void runMain(async () => {
    const args = process.argv.slice(2);
    const at = args.findIndex((arg) => arg === "--stack");
    const unknown = args.filter((arg, index) => arg !== "--yes" && index !== at && index !== at + 1);
    if (at === -1 ? args.some((arg) => arg !== "--yes") : unknown.length > 0 || args[at + 1] === undefined) {
      throw new SetupError(`unknown arguments: ${args.join(" ")}`, {
        remedy: "npm run quickstart:down [-- --stack NAME]",
      });
    }
    const lock = path.join(packageRoot(), ".containarium", "quickstart.lock");
    const down = () => quickstartDown({ stack: at === -1 ? undefined : args[at + 1] });
    process.stderr.write(`${await withFileLock(lock, down, { timeoutMs: 1000 })}\n`);
  });
}
