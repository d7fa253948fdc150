"use strict";

/**
 * `npm run test:life -- [--operations N] [--seed N] [--kills all]`: people's lives on a server on which everything goes
 * wrong, as long as you like. Without a seed one is drawn, and said. `--kills all`: every operation, killed in every step
 * and in every way; without `--operations` nothing else then.
 */
const path = require("node:path");
const { spawn } = require("node:child_process");
const { parseArgs } = require("node:util");

const { setUpHost } = require("./host-setup");
const { packageRoot } = require("./paths");
const { createProgress } = require("./progress");
const { ensureNodePackages } = require("./quickstart/packages");
const { run } = require("./run");
const { SetupError, runMain } = require("./setup-error");

const usage = "npm run test:life -- --operations 1000 --seed 7\nnpm run test:life -- --kills all";

/**
 * @param {string[]} args @returns {{env: Record<string, string>, only: string | undefined}} settings of the tests, and
 *   which of their parts to run
 * @throws {SetupError}
 */
function readOptions(args, drawSeed = () => Math.floor(Math.random() * 1e9)) {
  /** @type {{operations?: string, seed?: string, kills?: string}} */
  let options;
  try {
    const text = /** @type {const} */ ({ type: "string" });
    options = parseArgs({ args, options: { operations: text, seed: text, kills: text } }).values;
  } catch (error) {
    throw new SetupError(/** @type {Error} */ (error).message, { remedy: usage });
  }
  const { operations, seed, kills } = options;
  for (const [name, value] of Object.entries({ operations, seed })) {
    if (value !== undefined && !/^\d{1,9}$/.test(value)) {
      throw new SetupError(`--${name} ${value} is not a number`, { remedy: usage });
    }
  }
  if (kills !== undefined && kills !== "all") throw new SetupError(`--kills takes only: all`, { remedy: usage });
  const lives = {
    CONTAINARIUM_LIFE_OPERATIONS: operations ?? "200",
    CONTAINARIUM_LIFE_SEED: seed ?? String(drawSeed()),
  };
  if (kills === undefined) return { env: lives, only: "random life" };
  return {
    env: { ...lives, CONTAINARIUM_LIFE_KILLS: "all" },
    only: operations === undefined && seed === undefined ? "killed anywhere" : undefined,
  };
}

/** @param {string[]} args */
async function testLife(args, root = packageRoot()) {
  const { env, only } = readOptions(args);
  const progress = createProgress();
  const say = progress.note;
  await progress.phase(
    "This host",
    () => setUpHost({ projectDirectory: root, interactive: false, yes: true, say }),
    (did) => did,
  );
  await progress.phase(
    "npm packages",
    () => ensureNodePackages({ root, runner: run }),
    (did) => did,
  );
  const jest = path.join(root, "node_modules", "jest", "bin", "jest.js");
  const test = path.join("tests", "e2e", "random-life.test.ts");
  const part = only === undefined ? [] : ["--testNamePattern", `^${only}`];
  const command = [jest, test, "--selectProjects", "e2e", "--runInBand", "--testTimeout=900000", "--verbose", ...part];
  return await new Promise((resolve, reject) => {
    // A stack of its own, beside one that `npm test` has.
    const settings = { CONTAINARIUM_TEST_STACK: "e2e-life", ...process.env, ...env };
    const child = spawn(process.execPath, command, { cwd: root, env: settings, stdio: "inherit" });
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

module.exports = { readOptions };

if (require.main === module) void runMain(() => testLife(process.argv.slice(2)));
