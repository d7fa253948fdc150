"use strict";

/**
 * `npm run pulumi -- <any arguments>`: the engine, with the environment that it needs, on code that is not older than
 * its sources. Exit code and signals are the engine's.
 */
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { fileURLToPath } = require("node:url");

const { engineEnvironment, requireEngine } = require("./engine");
const { ensureFreshBuild } = require("./fresh-build");
const { removeOrphanLocks } = require("./orphan-locks");
const { packageRoot } = require("./paths");
const { SetupError, runMain } = require("./setup-error");

/** Commands that run the program or the providers, and so need the build. */
const running = ["up", "update", "preview", "pre", "refresh", "destroy", "down", "dn", "import", "watch"];

/** @param {string[]} args */
function runsProgram(args) {
  return args.some((arg) => running.includes(arg)) && !args.includes("--help") && !args.includes("-h");
}

/** The stack that the arguments or the environment name. @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
function wantedStack(args, env = process.env) {
  for (const [index, arg] of args.entries()) {
    if (arg === "--stack" || arg === "-s") return args[index + 1];
    if (arg.startsWith("--stack=")) return arg.slice("--stack=".length);
  }
  return env.PULUMI_STACK;
}

/**
 * The local stack does not come into being by `up`: something has to choose a subnet and to make keys.
 * @param {string} root @param {string[]} args @param {NodeJS.ProcessEnv} environment the engine's
 * @throws {SetupError} when the arguments need the local stack and there is none
 */
function requireStack(root, args, environment) {
  const state = path.join(root, ".containarium", "state");
  if (!runsProgram(args) || environment.PULUMI_BACKEND_URL !== `file://${state}`) return;
  const stack = wantedStack(args);
  const exists = fs.existsSync(
    path.join(state, ".pulumi", ...(stack === "local" ? ["stacks", "containarium", "local.json"] : [])),
  );
  if (exists || (stack !== "local" && stack !== undefined)) return;
  throw new SetupError("there is no local fleet yet", { remedy: "npm run quickstart\nmakes it." });
}

/**
 * A run that was killed must not keep the next one from completing what it began.
 * @param {NodeJS.ProcessEnv} environment the engine's @param {(line: string) => void} say
 */
function unlock({ PULUMI_BACKEND_URL: url = "" }, say) {
  if (!url.startsWith("file:///")) return;
  const removed = removeOrphanLocks(fileURLToPath(url.replace(/\?.*$/, "")), "containarium");
  if (removed > 0) say("- a run that was killed left its lock behind; removed");
}

/**
 * Hands terminal and signals over to the engine.
 * @param {string} program @param {string[]} args @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<number>} its exit code; does not return when a signal ended it
 */
function handOver(program, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: "inherit" });
    // Ctrl-C reaches the whole group: the engine gets its own and ends in good order; we wait for it.
    process.on("SIGINT", () => undefined);
    for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP"])) process.on(signal, () => child.kill(signal));
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (signal === null) return resolve(code ?? 1);
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  });
}

module.exports = { requireStack, runsProgram, unlock, wantedStack };

if (require.main === module) {
  void runMain(async () => {
    const root = packageRoot();
    const args = process.argv.slice(2);
    const env = engineEnvironment(root, wantedStack(args));
    requireStack(root, args, env);
    if (runsProgram(args)) {
      const onProgress = (/** @type {string} */ line) => void process.stderr.write(`${line}\n`);
      unlock(env, onProgress);
      await ensureFreshBuild(root, { onProgress });
    }
    return await handOver(requireEngine().pulumi, args, { cwd: root, env });
  });
}
