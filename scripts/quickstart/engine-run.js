"use strict";

const { engineEnvironment, requireEngine } = require("../engine");
const { removeOrphanLocks } = require("../orphan-locks");
const { lastLines } = require("../run");
const { SetupError } = require("../setup-error");
const { shown } = require("./layout");

/**
 * Runs the engine for the stack.
 * @param {import("./layout").Quickstart} quickstart
 * @param {string[]} args
 * @param {Omit<import("../run").RunOptions, "cwd" | "env">} [options]
 */
async function engine({ root, stack, runner }, args, options = {}) {
  const env = { ...engineEnvironment(root, stack), NO_COLOR: "1" };
  return await runner([requireEngine().pulumi, ...args, "--non-interactive", "--color", "never"], {
    ...options,
    cwd: root,
    env,
  });
}

/**
 * As `engine`, for what has to succeed. A lock left by a run that was killed is taken away, once.
 * @param {import("./layout").Quickstart} quickstart
 * @param {string[]} args
 * @param {Omit<import("../run").RunOptions, "cwd" | "env"> & {failure: string}} options
 * @returns {Promise<string>} what it printed on stdout
 */
async function mustEngine(quickstart, args, { failure, ...options }) {
  for (let tries = 0; ; tries++) {
    const { code, stdout, stderr } = await engine(quickstart, args, options);
    if (code === 0) return stdout;
    const locked = /currently locked by/.test(stdout + stderr);
    if (locked && tries === 0 && removeOrphanLocks(quickstart.files.state, "containarium", quickstart.stack) > 0) {
      quickstart.progress.note("a run that was killed left its lock behind; removed");
      continue;
    }
    const log = options.logFile === undefined ? "" : `All of it:  ${shown(quickstart.root, options.logFile)}`;
    throw new SetupError(locked ? `another Pulumi operation holds the stack ${quickstart.stack}` : failure, {
      log: relevant(`${stdout}\n${stderr}`),
      remedy: locked
        ? "Wait for it to end, then run this again."
        : [...remediesIn(stdout), log].filter(Boolean).join("\n"),
    });
  }
}

/** The lines of the engine's output that say what went wrong: its diagnostics. @param {string} output */
function relevant(output) {
  const begin = output.search(/^Diagnostics:$/m);
  if (begin === -1) return lastLines(output);
  const lines = output.slice(begin).split("\n").slice(1);
  const end = lines.findIndex((line) => /^(Resources|Outputs|Duration):/.test(line));
  const said = lines
    .slice(0, end === -1 ? undefined : end)
    .filter((line) => line.trim() !== "" && !/^\s+at .*:\d+/.test(line));
  return said.slice(0, 20).join("\n");
}

/** What our own errors said is to be done, which the engine passes on. @param {string} output */
function remediesIn(output) {
  return [...output.matchAll(/^\s*(?:Try|Remedy):\s+(.+)$/gm)].flatMap(([, text]) => (text ? [text] : []));
}

module.exports = { engine, mustEngine, relevant };
