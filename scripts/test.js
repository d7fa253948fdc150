"use strict";

/**
 * `npm test`: everything, on a bare machine too: sets the machine up, then the quick tests, then the end-to-end tests
 * with the real engine and real Incus. Ends with one line, `N passed, N failed[, N skipped]`.
 *
 * Where this machine cannot be set up, the end-to-end tests are skipped, with the reason; with CONTAINARIUM_REQUIRE=1
 * that is a failure. Not here: `npm run test:vm` and random life (`npm run test:life`).
 */
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { spawn } = require("node:child_process");

const { ensureEngine } = require("./engine-install");
const { ensureFreshBuild } = require("./fresh-build");
const { setUpHost } = require("./host-setup");
const { thisHost } = require("./host/host");
const { ensureTestPrograms } = require("./host/test-programs");
const { packageRoot } = require("./paths");
const { createProgress } = require("./progress");
const { ensureNodePackages } = require("./quickstart/packages");
const { run } = require("./run");
const { renderError, runMain } = require("./setup-error");

/**
 * @typedef {{passed: number, failed: number, skipped: number}} Counts
 * @typedef {{name: string, args: string[], env?: NodeJS.ProcessEnv}} Suite
 */

/** @type {Suite} */
const quick = { name: "Quick tests", args: ["--selectProjects", "quick"] };

/** The longest story and, after it, what the other lane has no time for. */
const firstLane = ["local-fleet.test.ts", "stack-record.test.ts", "stand-in.test.ts"];

/** As long as one likes: `npm run test:life`. */
const onDemand = "random-life.test.ts";

/** @param {string} root @returns {Suite[]} lanes, side by side: in each one story after the other, on a stack of its own */
function endToEnd(root) {
  const folder = path.join("tests", "e2e");
  const files = fs.readdirSync(path.join(root, folder)).filter((file) => file.endsWith(".test.ts"));
  const others = files.filter((file) => !firstLane.includes(file) && file !== onDemand);
  const args = ["--selectProjects", "e2e", "--runInBand", "--testTimeout=900000"];
  /** @param {string[]} names */
  const paths = (names) => names.map((name) => path.join(folder, name));
  return [
    { name: "The local fleet", args: [...paths(firstLane), ...args] },
    { name: "Other fleets", args: [...paths(others), ...args], env: { CONTAINARIUM_TEST_STACK: "e2e-servers" } },
  ];
}

const nothing = { passed: 0, failed: 0, skipped: 0 };

/** What jest wrote with --json. A suite that did not even load counts as one failure. @param {string} file @returns {Counts} */
function countsIn(file) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } = JSON.parse(
    fs.readFileSync(file, "utf8"),
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests + numRuntimeErrorTestSuites,
    skipped: numPendingTests + numTodoTests,
  };
}

/** @param {Counts[]} all @returns {Counts} */
function sum(all) {
  return all.reduce(
    (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }),
    nothing,
  );
}

/** @param {Counts} counts */
function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * Runs jest and lets it speak for itself.
 * @param {string} root @param {Suite} suite @param {string} outputFile
 * @returns {Promise<Counts>}
 */
async function runJest(root, { args, env }, outputFile) {
  const jest = path.join(root, "node_modules", "jest", "bin", "jest.js");
  const command = [jest, ...args, "--passWithNoTests", "--json", `--outputFile=${outputFile}`];
  const code = await new Promise((resolve, reject) => {
    // Its JSON goes to the file; what it prints for people goes to stderr.
    const child = spawn(process.execPath, command, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "inherit"],
    });
    child.once("error", reject);
    child.once("close", resolve);
  });
  const counts = fs.existsSync(outputFile) ? countsIn(outputFile) : nothing;
  // Whatever it counted: an exit code other than 0 is never green.
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** @param {NodeJS.ProcessEnv} [env] */
async function test(env = process.env, root = packageRoot()) {
  const progress = createProgress();
  const onProgress = progress.note;
  const say = (/** @type {string} */ line) => void process.stderr.write(`${line}\n`);
  const required = env.CONTAINARIUM_REQUIRE === "1";
  const results = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-test-"));
  /** @type {Counts[]} */
  const counts = [];

  const needs = await ready(() =>
    progress.phase(
      "This host",
      () => setUpHost({ projectDirectory: root, interactive: false, yes: true, say }),
      (did) => did,
    ),
  );
  // Elsewhere the tests that want one are skipped, and say so.
  if (required && needs === undefined) {
    await progress.phase(
      "Programs that only tests need",
      () => ensureTestPrograms(thisHost(), { onProgress }),
      (did) => did,
    );
  }
  await progress.phase(
    "npm packages",
    () => ensureNodePackages({ root, runner: run }),
    (did) => did,
  );
  await progress.phase(
    "Build",
    () => ensureFreshBuild(root, { onProgress }),
    (built) => (built ? "built dist/" : "up to date"),
  );
  const engine = await ready(() =>
    progress.phase(
      "Pulumi engine",
      () => ensureEngine({ onProgress }),
      ({ version, origin }) => `${version} (${origin})`,
    ),
  );
  const images =
    needs ??
    (await ready(() => {
      const { ensureImages } = require(path.join(root, "dist", "components", "local", "images.js"));
      return progress.phase(
        "Images",
        () => ensureImages({ onProgress }),
        () => "there",
      );
    }));

  /** @param {Suite} suite */
  const runSuite = (suite) =>
    progress.phase(suite.name, () => runJest(root, suite, path.join(results, `${suite.name}.json`)), summary);
  counts.push(await runSuite(quick));
  const reason = needs ?? engine ?? images;
  if (reason === undefined) {
    counts.push(...(await Promise.all(endToEnd(root).map(runSuite))));
  } else {
    say(`${required ? "✗" : "-"} End-to-end tests: ${required ? "cannot run" : "skipped"}`);
    say(reason);
    counts.push({ ...nothing, [required ? "failed" : "skipped"]: 1 });
  }
  fs.rmSync(results, { recursive: true, force: true });
  const total = sum(counts);
  process.stdout.write(`${summary(total)}\n`);
  return total.failed === 0 ? 0 : 1;
}

/** Why this part of the set-up is not to be had here; undefined when it is. @param {() => Promise<unknown>} setUp @returns {Promise<string | undefined>} */
async function ready(setUp) {
  try {
    await setUp();
    return undefined;
  } catch (error) {
    return renderError(error).trimEnd();
  }
}

module.exports = { countsIn, sum, summary };

if (require.main === module) void runMain(() => test());
