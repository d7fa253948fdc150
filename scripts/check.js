"use strict";

/**
 * `npm run check [-- NAME...]`: everything that can be said of the code without a server, in under two minutes. Runs all
 * of it (or the checks that are named), then says what failed.
 */
const path = require("node:path");

const { ensureFreshBuild } = require("./fresh-build");
const { packageRoot } = require("./paths");
const { seconds } = require("./progress");
const { lastLines, run } = require("./run");
const { SetupError, runMain } = require("./setup-error");

/** Run two at a time: developers' machines have two cores at least. @type {readonly {name: string, command: string[]}[]} */
const checks = [
  { name: "lint", command: ["eslint", "."] },
  { name: "types", command: ["tsc", "--noEmit", "--incremental", "false"] },
  { name: "format", command: ["prettier", "--check", "--log-level=warn", "."] },
  { name: "import direction", command: ["depcruise", "index.ts", "ops", "components", "bin", "scripts", "tests"] },
  { name: "unit tests", command: ["jest", "--selectProjects", "quick", "--silent"] },
];

/** How much a failed check may say. */
const shownLines = 60;

/**
 * @param {string[]} names of the checks to run; all of them when it is empty
 * @param {{runner?: import("./run").Runner, root?: string}} [parts]
 * @returns {Promise<string[]>} names of the checks that failed
 */
async function check(names = [], { runner = run, root = packageRoot() } = {}) {
  /** @type {string[]} */
  const failed = [];
  const waiting = checks.filter(({ name }) => names.length === 0 || names.includes(name));
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, command: [program = "", ...args] } = next; // prettier-ignore
      const begin = Date.now();
      const executable = path.join(root, "node_modules", ".bin", program);
      const { code, stdout, stderr } = await runner([executable, ...args], { cwd: root });
      if (code !== 0) {
        failed.push(name);
        process.stderr.write(`${lastLines(`${stdout}\n${stderr}`, shownLines)}\n`);
      }
      process.stderr.write(`${code === 0 ? "✓" : "✗"} ${name.padEnd(20)} ${seconds(Date.now() - begin)}\n`);
    }
  };
  await Promise.all([worker(), worker()]);
  return failed;
}

module.exports = { check, checks };

if (require.main === module) {
  void runMain(async () => {
    const names = process.argv.slice(2);
    const unknown = names.find((name) => !checks.some((known) => known.name === name));
    if (unknown !== undefined) {
      throw new SetupError(`no check is called ${unknown}`, { remedy: checks.map(({ name }) => name).join(", ") });
    }
    // Some tests run what is built. Errors of the compiler are reported by the check of types.
    await ensureFreshBuild().catch(() => undefined);
    const failed = await check(names);
    process.stderr.write(failed.length === 0 ? "All checks passed.\n" : `Failed: ${failed.join(", ")}\n`);
    return failed.length === 0 ? 0 : 1;
  });
}
