"use strict";

/**
 * `npm run e2e:gce -- --project MY-PROJECT --source 203.0.113.0/24`: the proof with Google itself, for whoever has an
 * account. Makes the smallest Spot fleet and a person, writes data as that person, stops the server as a preemption does,
 * waits for the starter, logs in again and compares; then destroys everything, the data disk included, whatever happened.
 * Costs some cents. Prints a report, and writes it as JSON.
 */
const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");

const { engineEnvironment } = require("./engine");
const { ensureEngine } = require("./engine-install");
const { ensureFreshBuild } = require("./fresh-build");
const { packageRoot } = require("./paths");
const { createProgress, seconds } = require("./progress");
const { mustRun, run } = require("./run");
const { SetupError, runMain } = require("./setup-error");

const usage = `npm run e2e:gce -- --project ID --source RANGE [options]

  --project ID     Google project that pays (some cents)
  --source RANGE   network that you come from, such as 203.0.113.7/32
  --zone ZONE      default: us-central1-a
  --keep           leave everything as it is at the end
`;

const stack = "gce-e2e";
const server = `containarium-${stack}-jump-1`;
const user = "alice";
/** Stop, the starter's next minute, boot, pool, containers: about three minutes; Google may have no room for a while. */
const recoveryLimitMs = 20 * 60_000;

/**
 * @typedef {{project: string, source: string, zone: string, keep: boolean}} Options
 *
 * @param {string[]} args
 * @returns {Options}
 * @throws {SetupError} on anything unknown or missing
 */
function parseArguments(args) {
  const options = { project: "", source: "", zone: "us-central1-a", keep: false };
  const rest = [...args];
  while (rest.length > 0) {
    const option = rest.shift();
    if (option === "--keep") options.keep = true;
    else if (option === "--project") options.project = rest.shift() ?? "";
    else if (option === "--source") options.source = rest.shift() ?? "";
    else if (option === "--zone") options.zone = rest.shift() ?? "";
    else throw new SetupError(`unknown option ${option}`, { remedy: usage.trimEnd() });
  }
  if (!/^[a-z][a-z0-9:.-]{4,}[a-z0-9]$/.test(options.project)) throw new SetupError("--project is missing, or no project id", { remedy: usage.trimEnd() }); // prettier-ignore
  if (!/^\d+(\.\d+){3}\/\d+$/.test(options.source)) throw new SetupError("--source is missing, or no range", { remedy: usage.trimEnd() }); // prettier-ignore
  if (!/^[a-z]+-[a-z]+\d+-[a-z]$/.test(options.zone)) throw new SetupError(`--zone ${options.zone} is no zone`, { remedy: usage.trimEnd() }); // prettier-ignore
  return options;
}

/** The smallest fleet that is still a real one. JSON is YAML. @param {Options} options @param {{adminKey: string, adminFile: string}} keys */
function stackConfig({ project, source, zone }, { adminKey, adminFile }) {
  return {
    config: {
      "gcp:project": project,
      "containarium:target": "gce",
      "containarium:zone": zone,
      "containarium:machineType": "e2-medium",
      "containarium:spot": true,
      "containarium:servers": [1],
      "containarium:dataDiskSizeGb": 10,
      "containarium:diskQuota": "4GB",
      "containarium:memory": "1GiB",
      "containarium:allowedSshSources": [source],
      "containarium:adminSshKeys": [adminKey],
      "containarium:adminIdentityFile": adminFile,
    },
  };
}

/**
 * @param {Options} options
 * @param {{root?: string, runner?: import("./run").Runner, env?: NodeJS.ProcessEnv, engineEnv?: NodeJS.ProcessEnv}} [parts]
 * @throws {SetupError} what went wrong; all is removed then, too, or named
 */
async function proveWithGoogle(options, { root = packageRoot(), runner = run, env = process.env, engineEnv } = {}) {
  const progress = createProgress();
  const folder = path.join(root, ".containarium", stack);
  const inFolder = (/** @type {string} */ name) => path.join(folder, name);
  const engine = engineEnv ?? engineEnvironment(root, stack, env);
  const gcloud = (/** @type {string[]} */ ...words) =>
    mustRun(runner, ["gcloud", "compute", ...words, "--project", options.project, "--zone", options.zone, "--quiet"]);
  const pulumi = (/** @type {string[]} */ ...words) =>
    mustRun(runner, ["pulumi", ...words, "--stack", stack, "--non-interactive"], { cwd: root, env: engine });
  const ops = (/** @type {string[]} */ ...words) =>
    mustRun(runner, [process.execPath, path.join(root, "bin", "containarium-ops"), ...words, "--stack", stack], { cwd: root, env }); // prettier-ignore
  const ssh = (/** @type {string} */ command, /** @type {string} */ input = "") =>
    runner(["ssh", "-F", inFolder("ssh_config"), "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", `${user}-dev`, command], { input }); // prettier-ignore
  const hash = async () => {
    const { code, stdout } = await ssh("sha256sum data");
    return code === 0 ? stdout.split(" ")[0] : undefined;
  };

  /** @type {{what: string, seconds: number}[]} */
  const report = [];
  /** @type {<T>(what: string, work: () => Promise<T>) => Promise<T>} */
  const step = async (what, work) => {
    const begin = Date.now();
    const result = await progress.phase(what, work);
    report.push({ what, seconds: Math.round((Date.now() - begin) / 100) / 10 });
    return result;
  };

  const stackFile = path.join(root, `Pulumi.${stack}.yaml`);
  if (fs.existsSync(stackFile)) {
    throw new SetupError(`Pulumi.${stack}.yaml is there: an earlier run was cut off`, {
      remedy: `Remove what it left, then the file:\n  npm run pulumi -- destroy --stack ${stack}`,
    });
  }
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of ["admin", user]) {
    fs.rmSync(inFolder(name), { force: true });
    await mustRun(runner, [
      "ssh-keygen",
      "-q",
      "-t",
      "ed25519",
      "-N",
      "",
      "-C",
      `${name}-${stack}`,
      "-f",
      inFolder(name),
    ]);
  }
  const adminKey = fs.readFileSync(inFolder("admin.pub"), "utf8").trim();
  const adminFile = path.relative(root, inFolder("admin"));
  fs.writeFileSync(stackFile, JSON.stringify(stackConfig(options, { adminKey, adminFile }), undefined, 2));

  let succeeded = false;
  try {
    await step("Stack", () => pulumi("stack", "select", "--create"));
    await step("pulumi up", () => pulumi("up", "--yes", "--skip-preview"));
    await step("create alice", () => ops("create", user, "--ssh-key", inFolder(`${user}.pub`)));
    await step("export alice", () => ops("export", user, "--key", inFolder(user), "--output", inFolder("ssh_config")));
    const written = await step("Data written", async () => {
      const { code, stderr } = await ssh("cat > data && sync", randomBytes(1 << 20).toString("base64"));
      if (code !== 0) throw new SetupError("alice cannot log in", { log: stderr });
      return await hash();
    });
    await step("Server stopped", () => gcloud("instances", "stop", server));
    await step("Back by itself, alice in", async () => {
      const deadline = Date.now() + recoveryLimitMs;
      for (let found = await hash(); found !== written; found = await hash()) {
        if (found !== undefined) throw new SetupError("alice's data is not what she wrote");
        if (Date.now() > deadline) throw new SetupError(`not back within ${seconds(recoveryLimitMs)}`);
        await sleep(5_000);
      }
    });
    await step("Nothing to change", () => pulumi("preview", "--expect-no-changes"));
    succeeded = true;
  } finally {
    if (options.keep) progress.note(`left as it is; to remove it:  npm run pulumi -- destroy --stack ${stack}`);
    else await step("Everything removed", () => cleanUp());
    const file = inFolder("report.json");
    fs.writeFileSync(file, `${JSON.stringify({ succeeded, date: new Date().toISOString(), ...options, report }, undefined, 2)}\n`); // prettier-ignore
    for (const { what, seconds: took } of report) process.stdout.write(`${what.padEnd(28)} ${took} s\n`);
    process.stdout.write(`${succeeded ? "passed" : "FAILED"}; ${path.relative(root, file)}\n`);
  }

  /** The data disk too, which Pulumi never removes. What is left is named. */
  async function cleanUp() {
    /** @type {string[]} */
    const left = [];
    const attempt = async (/** @type {string} */ what, /** @type {() => Promise<unknown>} */ work) =>
      work().catch((/** @type {SetupError} */ error) => left.push(`${what}: ${error.message}\n${error.log ?? ""}`));
    await attempt("pulumi destroy", () => pulumi("destroy", "--yes", "--skip-preview"));
    await attempt(`the disk ${server}-data`, () => gcloud("disks", "delete", `${server}-data`));
    if (left.length > 0) throw new SetupError("something is left in the project", { log: left.join("\n"), remedy: `npm run pulumi -- destroy --stack ${stack}` }); // prettier-ignore
    await pulumi("stack", "rm", "--yes");
    fs.rmSync(stackFile, { force: true });
  }
}

module.exports = { parseArguments, proveWithGoogle, stackConfig };

if (require.main === module) {
  void runMain(async () => {
    const options = parseArguments(process.argv.slice(2));
    await mustRun(run, ["gcloud", "auth", "print-access-token"], {
      failure: "gcloud is missing, or not logged in",
      remedy: "Install Google's command line, then:\n  gcloud auth login && gcloud auth application-default login",
    });
    await ensureFreshBuild();
    await ensureEngine();
    await proveWithGoogle(options);
  });
}
