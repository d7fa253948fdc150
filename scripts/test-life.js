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

const lives = "random-life.test.ts";
const kills = "kill-anywhere.test.ts";

/**
 * @param {string[]} args @returns {{env: Record<string, string>, files: string[]}} settings of the tests, and which to run
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
  const { operations, seed } = options;
  for (const [name, value] of Object.entries({ operations, seed })) {
    if (value !== undefined && !/^\d{1,9}$/.test(value)) {
      throw new SetupError(`--${name} ${value} is not a number`, { remedy: usage });
    }
  }
  if (options.kills !== undefined && options.kills !== "all")
    throw new SetupError(`--kills takes only: all`, { remedy: usage });
  const env = {
    CONTAINARIUM_LIFE_OPERATIONS: operations ?? "200",
    CONTAINARIUM_LIFE_SEED: seed ?? String(drawSeed()),
  };
  if (options.kills === undefined) return { env, files: [lives] };
  const files = operations === undefined && seed === undefined ? [kills] : [kills, lives];
  return { env: { ...env, CONTAINARIUM_LIFE_KILLS: "all" }, files };
}

/** @param {string[]} args */
async function testLife(args, root = packageRoot()) {
  const { env, files } = readOptions(args);
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
  const tests = files.map((file) => path.join("tests", "e2e", file));
  const command = [jest, ...tests, "--selectProjects", "e2e", "--runInBand", "--testTimeout=900000", "--verbose"];
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
