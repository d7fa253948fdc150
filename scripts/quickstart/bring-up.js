"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { engineEnvironment } = require("../engine");
const { mustRun } = require("../run");
const { SetupError } = require("../setup-error");
const { mustEngine } = require("./engine-run");
const { shown } = require("./layout");
const { openConfig } = require("./stack");

/** A machine is made in about a minute; many at once, on a slow host, take longer. */
const upTimeoutMs = 45 * 60_000;

/**
 * `pulumi up`.
 * @param {import("./layout").Quickstart} quickstart
 * @returns {Promise<string>} "no changes", or how many
 */
async function up(quickstart) {
  const { files, progress, stack } = quickstart;
  await refuseToLosePeople(quickstart);
  fs.mkdirSync(files.logs, { recursive: true, mode: 0o700 });
  const logFile = path.join(files.logs, `up-${new Date().toISOString().replace(/[:.]/g, "-")}.log`);
  const output = await mustEngine(quickstart, ["up", "--yes", "--skip-preview", "--stack", stack], {
    failure: "pulumi up failed",
    logFile,
    timeoutMs: upTimeoutMs,
    onLine: (line) => {
      const step = stepOf(line);
      if (step) progress.note(step);
    },
  });
  keepNewest(files.logs, 10);
  return summaryOf(output);
}

/**
 * People stand in the stack's config; one who was dropped there (a `git checkout` does it) would be deleted with all data.
 * An administrator may want that of `pulumi up`, which asks; nobody expects it of quickstart.
 * @param {import("./layout").Quickstart} quickstart
 * @throws {SetupError} naming them
 */
async function refuseToLosePeople(quickstart) {
  const { files, stack } = quickstart;
  const exported = await mustEngine(quickstart, ["stack", "export", "--stack", stack], {
    failure: "the stack's state could not be read",
  });
  const lost = lostPeople(JSON.parse(exported), openConfig(files.stackConfig).get("containers"));
  if (lost.length === 0) return;
  throw new SetupError(`${lost.join(", ")} would be deleted: in the stack's state, but no longer in its config`, {
    remedy: [
      `Put ${lost.length === 1 ? "the entry" : "the entries"} back under containarium:containers in ${path.basename(files.stackConfig)};`,
      "or, if they are to go with all their data:",
      ...lost.map((user) => `npx containarium-ops delete ${user} --stack ${stack}`),
    ].join("\n"),
  });
}

/**
 * @param {{deployment?: {resources?: {urn: string, type: string}[]}}} state of `pulumi stack export`
 * @param {unknown} configured the config's list of people
 * @returns {string[]}
 */
function lostPeople({ deployment }, configured) {
  const kept = Array.isArray(configured) ? configured.map((entry) => entry?.user) : [];
  return (deployment?.resources ?? [])
    .filter(({ type }) => type.endsWith("containarium:Container"))
    .map(({ urn }) => urn.split("::").at(-1) ?? "")
    .filter((user) => !kept.includes(user));
}

/** What a line of the engine's says of a resource's progress, without its marks. @param {string} line */
function stepOf(line) {
  const match =
    /^\s*(?:\+|~|-|\+\+|--|\+-)\s+\S*\/containarium:(\w+)\s+(\S+)\s+(created|updated|deleted|replaced|creating failed|updating failed)(.*)$/.exec(
      line,
    );
  return match ? `${match[2]} ${match[3]}${match[4]?.trimEnd()}` : undefined;
}

/** @param {string} output of `pulumi up` */
function summaryOf(output) {
  const resources = output
    .slice(output.search(/^Resources:$/m))
    .split("\n")
    .slice(1);
  const changes = resources.flatMap(
    (line) => /^\s+[+~±-]+-?\s*(\d+ (?:created|updated|deleted|replaced))/.exec(line)?.[1] ?? [],
  );
  return changes.length === 0 ? "no changes" : changes.join(", ");
}

/** @param {string} directory @param {number} count */
function keepNewest(directory, count) {
  for (const name of fs.readdirSync(directory).sort().slice(0, -count))
    fs.rmSync(path.join(directory, name), { force: true });
}

/**
 * Makes alice, unless she is there.
 * @param {import("./layout").Quickstart} quickstart
 * @returns {Promise<string>}
 */
async function ensureAlice(quickstart) {
  const { files, progress, stack } = quickstart;
  const listed = JSON.parse(await ops(quickstart, ["list", "--json", "--stack", stack]));
  if (listed.containers?.some((/** @type {{user: string}} */ { user }) => user === "alice")) return "there";
  await ops(quickstart, ["create", "alice", "--ssh-key", `${files.aliceKey}.pub`, "--stack", stack], {
    onLine: (line) => progress.note(line),
  });
  return "created";
}

/** @param {import("./layout").Quickstart} quickstart */
async function exportSshConfig(quickstart) {
  const { files, root, stack } = quickstart;
  await ops(quickstart, ["export", "alice", "--key", files.aliceKey, "--output", files.sshConfig, "--stack", stack]);
  return shown(root, files.sshConfig);
}

/**
 * Logs in as she would, pinned keys and all.
 * @param {import("./layout").Quickstart} quickstart
 * @returns {Promise<string>}
 */
async function logIn({ files, root, runner }) {
  const command = [
    "ssh",
    "-F",
    shown(root, files.sshConfig),
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=15",
    "alice-dev",
  ];
  const name = await mustRun(runner, [...command, "whoami"], {
    cwd: root,
    timeoutMs: 60_000,
    failure: "alice cannot log in",
    remedy: `${command.join(" ")} -v`,
  });
  if (name.trim() === "alice") return "whoami says alice";
  throw new SetupError(`alice logged in, but whoami says ${JSON.stringify(name.trim())}`);
}

/**
 * The CLI, as people use it.
 * @param {import("./layout").Quickstart} quickstart @param {string[]} args @param {import("../run").RunOptions} [options]
 */
async function ops({ root, stack, runner }, args, options = {}) {
  return await mustRun(runner, [process.execPath, path.join(root, "bin", "containarium-ops"), ...args], {
    ...options,
    cwd: root,
    env: { ...engineEnvironment(root, stack), NO_COLOR: "1" },
    failure: `containarium-ops ${args[0]} failed`,
    remedy: `npx containarium-ops ${args.map((arg) => (arg.startsWith(root) ? shown(root, arg) : arg)).join(" ")} --verbose`,
  });
}

module.exports = { ensureAlice, exportSshConfig, logIn, lostPeople, stepOf, summaryOf, up };
