"use strict";

/**
 * `npm run quickstart [-- --yes --servers 3 --balancer --stack NAME]`: from a bare host to a login as alice. Every phase looks
 * first and does what is missing; a run that was stopped anywhere is completed by the next.
 */
const fs = require("node:fs");
const path = require("node:path");

const { ensureEngine } = require("./engine-install");
const { withFileLock } = require("./file-lock");
const { ensureFreshBuild } = require("./fresh-build");
const { setUpHost } = require("./host-setup");
const { packageRoot } = require("./paths");
const { createProgress, seconds } = require("./progress");
const { ensureAlice, exportSshConfig, logIn, up } = require("./quickstart/bring-up");
const { ensureKeys } = require("./quickstart/keys");
const { layout, shown } = require("./quickstart/layout");
const { ensureNodePackages } = require("./quickstart/packages");
const { ensureStack } = require("./quickstart/stack");
const { run } = require("./run");
const { keepSudoAlive } = require("./sudo");
const { SetupError, runMain } = require("./setup-error");
const { isInteractive } = require("./terminal");

const usage = `npm run quickstart [-- options]

  --yes            do not ask before changing this host
  --servers N      N machines, jump-1 to jump-N (default: as configured, 1)
  --balancer       one address before all of them (default: as configured, none)
  --stack NAME     another fleet beside the first one (default: local)
`;

/**
 * @typedef {{yes: boolean, servers?: number, balancer?: boolean, stack: string, help: boolean}} Options
 *
 * @param {string[]} args
 * @returns {Options}
 * @throws {SetupError} on anything unknown
 */
function parseArguments(args) {
  /** @type {Options} */
  const options = { yes: false, stack: "local", help: false };
  const rest = args.flatMap((arg) =>
    /^--\w+=/.test(arg) ? [arg.slice(0, arg.indexOf("=")), arg.slice(arg.indexOf("=") + 1)] : [arg],
  );
  while (rest.length > 0) {
    const option = rest.shift();
    if (option === "--yes" || option === "-y") options.yes = true;
    else if (option === "--help" || option === "-h") options.help = true;
    else if (option === "--servers") options.servers = serverCount(rest.shift());
    else if (option === "--balancer") options.balancer = true;
    else if (option === "--stack") options.stack = stackName(rest.shift());
    else throw new SetupError(`unknown option ${option}`, { remedy: usage.trimEnd() });
  }
  return options;
}

/** @param {string | undefined} text */
function serverCount(text = "") {
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 240) return Number(text);
  throw new SetupError(`--servers ${text || "(nothing)"} is not a number from 1 to 240`, { remedy: usage.trimEnd() });
}

/** @param {string | undefined} text */
function stackName(text = "") {
  if (/^[a-z][a-z0-9-]{0,39}$/.test(text)) return text;
  throw new SetupError(`--stack ${text || "(nothing)"} is not a name: small letters, digits and -`, {
    remedy: usage.trimEnd(),
  });
}

/**
 * @param {Options} options
 * @param {{root?: string, runner?: import("./run").Runner, progress?: import("./progress").Progress}} [parts]
 */
async function quickstart(options, { root = packageRoot(), runner = run, progress = createProgress() } = {}) {
  const files = layout(root, options.stack);
  const { stack, servers, balancer } = options;
  const context = { root, runner, progress, files, stack, servers, balancer };
  const interactive = isInteractive();
  fs.mkdirSync(files.logs, { recursive: true, mode: 0o700 });
  const logFile = path.join(files.logs, "setup.log");
  const begin = Date.now();
  const say = (/** @type {string} */ line) => void process.stderr.write(`${line}\n`);
  const onProgress = progress.note;
  const same = (/** @type {string} */ result) => result;

  await progress.phase(
    "This host",
    () => setUpHost({ projectDirectory: root, interactive, yes: options.yes, say, logFile }),
    same,
  );
  const stopSudo = keepSudoAlive();
  try {
    await progress.phase("npm packages", () => ensureNodePackages({ root, runner, logFile }), same);
    await progress.phase(
      "Build",
      () => ensureFreshBuild(root, { onProgress }),
      (built) => (built ? "built dist/" : "up to date"),
    );
    await Promise.all([
      progress.phase(
        "Pulumi engine",
        () => ensureEngine({ onProgress }),
        ({ version, origin }) => `${version} (${origin})`,
      ),
      progress.phase(
        "Images",
        () => builtModule(root, "components/local/images.js").ensureImages({ onProgress }),
        () => "there",
      ),
    ]);
    await progress.phase("Keys", () => ensureKeys(context), same);
    await progress.phase("Stack", () => ensureStack(context), same);
    const changes = await progress.phase("pulumi up", () => up(context), same);
    const alice = await progress.phase("alice", () => ensureAlice(context), same);
    await progress.phase("Her SSH config", () => exportSshConfig(context), same);
    await progress.phase("Login through the jump", () => logIn(context), same);
    const unchanged = changes === "no changes" && alice === "there";
    say("");
    say(`${unchanged ? "no changes" : "The local fleet is up"} (${seconds(Date.now() - begin)}).  Log in as alice:`);
    say("");
    process.stdout.write(`ssh -F ${shown(root, files.sshConfig)} alice-dev\n`);
  } finally {
    stopSudo();
  }
}

/** Code of the package that exists only after the build. @param {string} root @param {string} file */
function builtModule(root, file) {
  return require(path.join(root, "dist", file));
}

module.exports = { parseArguments, quickstart };

if (require.main === module) {
  void runMain(async () => {
    const options = parseArguments(process.argv.slice(2));
    if (options.help) return void process.stdout.write(usage);
    const directory = path.join(packageRoot(), ".containarium");
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    const lock = path.join(directory, "quickstart.lock");
    await withFileLock(lock, () => quickstart(options), { timeoutMs: 1000 });
  });
}
