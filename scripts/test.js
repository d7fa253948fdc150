"use strict";

/**
 * `npm test`: everything, on a bare machine too: sets the machine up, then the quick tests, then the end-to-end tests
 * with the real engine and real Incus, then the short story of a server with ZFS in an emulated VM, and beside it random
 * life. Ends with one line, `N passed, N failed[, N skipped]`.
 *
 * Where this machine cannot be set up, the end-to-end tests are skipped, with the reason, and so is the VM's story where
 * QEMU is not to be had; with CONTAINARIUM_REQUIRE=1 that is a failure. More of both: `npm run test:vm`, `npm run test:life`.
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
const { ensureVmImage } = require("./vm/image");
const { ensureQemu } = require("./vm/packages");

/**
 * @typedef {{passed: number, failed: number, skipped: number}} Counts
 * @typedef {{name: string, args: string[], env?: NodeJS.ProcessEnv}} Suite
 */

/** @type {Suite} */
const quick = { name: "Quick tests", args: ["--selectProjects", "quick"] };

/** The longest story and, after it, what the other lane has no time for. */
const firstLane = ["local-fleet.test.ts", "stack-record.test.ts", "stand-in.test.ts"];
/** Two hundred operations; as many as one likes: `npm run test:life`. */
const randomLife = "random-life.test.ts";

/** @param {string} root @returns {{lanes: Suite[], life: Suite}} the lanes side by side: in each one story after the other, on a stack of its own */
function endToEnd(root) {
  const folder = path.join("tests", "e2e");
  const files = fs.readdirSync(path.join(root, folder)).filter((file) => file.endsWith(".test.ts"));
  const others = files.filter((file) => !firstLane.includes(file) && file !== randomLife);
  /** @param {string} name @param {string[]} names @param {NodeJS.ProcessEnv} [env] @returns {Suite} */
  const suite = (name, names, env) => {
    const paths = names.map((file) => path.join(folder, file));
    return { name, args: [...paths, "--selectProjects", "e2e", "--runInBand", "--testTimeout=900000"], env };
  };
  return {
    lanes: [
      suite("The local fleet", firstLane),
      suite("Other fleets", others, { CONTAINARIUM_TEST_STACK: "e2e-servers" }),
    ],
    life: suite("Random life", [randomLife], { CONTAINARIUM_TEST_STACK: "e2e-random" }),
  };
}

/** When little else runs: it takes a core for itself, and a server that is emulated has no time to lose. @type {Suite} */
const vmStory = {
  name: "A server in a VM",
  args: [path.join("tests", "vm", "short.test.ts"), "--selectProjects", "vm", "--bail", "--testTimeout=1800000"],
};

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

  // Mostly a compiler, and nice: it has what the tests leave of the processor.
  const vm = Promise.resolve(
    needs ??
      images ??
      ready(async () => {
        await progress.phase("QEMU", () => ensureQemu(thisHost(), { onProgress }), (did) => did); // prettier-ignore
        await progress.phase("Boot disk of the VM", () => ensureVmImage({ onProgress }));
      }),
  );

  /** @param {Suite} suite */
  const runSuite = (suite) =>
    progress.phase(suite.name, () => runJest(root, suite, path.join(results, `${suite.name}.json`)), summary);
  counts.push(await runSuite(quick));
  const { lanes, life } = endToEnd(root);
  const [noFleet, unless] = [needs ?? engine ?? images, { required, say }];
  counts.push(...(await runUnless(noFleet, "End-to-end tests", () => Promise.all(lanes.map(runSuite)), unless)));
  /** @param {string | undefined} reason @param {Suite} suite */
  const one = (reason, suite) => runUnless(reason, suite.name, async () => [await runSuite(suite)], unless);
  counts.push(...(await Promise.all([one(await vm, vmStory), one(noFleet, life)])).flat());
  fs.rmSync(results, { recursive: true, force: true });
  const total = sum(counts);
  process.stdout.write(`${summary(total)}\n`);
  return total.failed === 0 ? 0 : 1;
}

/**
 * Runs these tests, unless there is a reason why they cannot run here, which is said.
 * @param {string | undefined} reason @param {string} what @param {() => Promise<Counts[]>} tests
 * @param {{required: boolean, say: (line: string) => void}} options
 */
async function runUnless(reason, what, tests, { required, say }) {
  if (reason === undefined) return tests();
  say(`${required ? "✗" : "-"} ${what}: ${required ? "cannot run" : "skipped"}`);
  say(reason);
  return [{ ...nothing, [required ? "failed" : "skipped"]: 1 }];
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

module.exports = { countsIn, runUnless, sum, summary };

if (require.main === module) void runMain(() => test());
