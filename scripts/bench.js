"use strict";

/**
 * `npm run bench`: what we do, measured beside the bare parts that it is made of, on the fleet that quickstart brought up.
 * Prints a table; a run of everything also writes docs/performance.md with its drawing, and the figures as JSON.
 */
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const { drawing } = require("./bench/drawing");
const { page, table } = require("./bench/report");
const { Site } = require("./bench/site");
const { outcomeOf } = require("./bench/statistics");
const { ensureFreshBuild } = require("./fresh-build");
const { packageRoot } = require("./paths");
const { createProgress } = require("./progress");
const { run } = require("./run");
const { SetupError, runMain } = require("./setup-error");

/** @type {import("./bench/figure").Figure[]} */
const figures = [
  require("./bench/figures/start").version,
  require("./bench/figures/start").help,
  require("./bench/figures/request"),
  require("./bench/figures/list"),
  require("./bench/figures/create"),
  require("./bench/figures/command"),
  require("./bench/figures/bulk"),
  require("./bench/figures/unchanged"),
  require("./bench/figures/memory"),
  require("./bench/figures/backup"),
  require("./bench/figures/drill"),
];

const usage = `npm run bench -- [FIGURE...] [--runs N] [--stack NAME]

  FIGURE        ${figures.map(({ name }) => name).join(", ")}; default: all of them
  --runs N      rounds of each
  --stack NAME  the fleet to measure on; default: local
`;

/** @param {string[]} args @throws {SetupError} on anything unknown */
function parseArguments(args) {
  const refused = (/** @type {string} */ what) => new SetupError(what, { remedy: usage.trimEnd() });
  /** @type {{names: string[], runs?: number, stack: string}} */
  const options = { names: [], stack: "local" };
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--runs") options.runs = Number(rest.shift());
    else if (word === "--stack") options.stack = rest.shift() ?? "";
    else if (figures.some(({ name }) => name === word)) options.names.push(word);
    else throw refused(`there is no figure ${word}`);
  }
  if (options.runs !== undefined && !(Number.isInteger(options.runs) && options.runs > 0)) throw refused("--runs is not a number of rounds"); // prettier-ignore
  return options;
}

/** @param {string[]} args @returns {Promise<number>} */
async function bench(args, root = packageRoot()) {
  const { names, runs, stack } = parseArguments(args);
  const progress = createProgress();
  await ensureFreshBuild(root, { onProgress: progress.note });
  const site = await Site.open(root, stack);
  const outcomes = [];
  try {
    for (const figure of figures.filter(({ name }) => names.length === 0 || names.includes(name))) {
      const rounds = await progress.phase(figure.name, () => measure(figure, site, runs ?? figure.runs));
      outcomes.push(outcomeOf(figure, rounds));
    }
    await site.removePeople();
  } finally {
    await site.close();
  }
  process.stdout.write(`${table(outcomes)}\n`);
  if (names.length === 0) write(root, outcomes, await thisMachine(site));
  return 0;
}

/** @param {import("./bench/figure").Figure} figure @param {Site} site @param {number} runs */
async function measure(figure, site, runs) {
  const round = await figure.prepare(site);
  const rounds = [];
  try {
    while (rounds.length < runs) rounds.push(await round.measure());
  } finally {
    await round.end?.();
  }
  return rounds;
}

/** @param {string} root @param {import("./bench/statistics").Outcome[]} outcomes @param {Record<string, string>} machine */
function write(root, outcomes, machine) {
  const date = new Date().toISOString().slice(0, 10);
  fs.writeFileSync(path.join(root, "docs", "performance.md"), page(outcomes, machine, date));
  fs.writeFileSync(path.join(root, "docs", "performance.svg"), drawing(outcomes));
  const file = path.join(root, ".containarium", "bench.json");
  fs.writeFileSync(file, `${JSON.stringify({ schema: 1, date, machine, figures: outcomes }, null, 2)}\n`);
  process.stderr.write(`written: docs/performance.md, docs/performance.svg, .containarium/bench.json\n`);
}

/** @param {Site} site @returns {Promise<Record<string, string>>} */
async function thisMachine(site) {
  const { stdout } = await run(["incus", "exec", site.machine, "--", "sh", "-c", "incus --version; sshd -V 2>&1; . /etc/os-release; echo $PRETTY_NAME"]); // prettier-ignore
  const [incus = "", openssh = "", system = ""] = stdout.trim().split("\n");
  const engine = await run(["pulumi", "version"], { env: site.environment });
  return {
    processors: String(os.cpus().length),
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GiB`,
    kernel: os.release().replace(/-.*/, ""),
    server: system,
    Incus: incus,
    OpenSSH: openssh.replace(/^OpenSSH_([^\s,]+).*/, "$1"),
    Node: process.versions.node,
    engine: engine.stdout.trim(),
    "load at the end": (os.loadavg()[0] ?? 0).toFixed(1),
  };
}

module.exports = { parseArguments };

if (require.main === module) void runMain(() => bench(process.argv.slice(2)));
