"use strict";

/**
 * The Pulumi engine: where it is on this machine, and the environment that it runs in. One answer for the CLI, the tests
 * and people (`npm run pulumi`). Looks only; engine-install.js is what brings one.
 */
const { execFileSync } = require("node:child_process");
const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const { cacheDirectory, packageRoot } = require("./paths");
const { SetupError } = require("./setup-error");

/** The version that is downloaded or built; the same as that of the SDK, @pulumi/pulumi. */
const engineVersion = "3.248.0";

/** The oldest of the same major version that knows all that we use. */
const oldestMinor = 200;

/**
 * @typedef {object} Engine
 * @property {string} pulumi path of the engine
 * @property {string} languageHost path of pulumi-language-nodejs
 * @property {string} version for example `3.248.0`
 * @property {"path" | "download" | "built"} origin
 */

/**
 * Finds an engine that fits: on PATH, then the one that was downloaded, then the one that was built. Runs nothing but
 * `pulumi version`, and that only for an engine on PATH that it has not seen before.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Engine | undefined}
 */
function findEngine(env = process.env) {
  return engineOnPath(env) ?? engineIn(downloadDirectory(env), "download") ?? engineIn(buildDirectory(env), "built");
}

/**
 * Like findEngine, for those who cannot go on without one.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Engine}
 * @throws {SetupError} whose remedy says how to get one
 */
function requireEngine(env = process.env) {
  const engine = findEngine(env);
  if (engine) return engine;
  throw new SetupError("the Pulumi engine is not on this machine", {
    remedy:
      "npm run engine\ndownloads or builds it, once (npm run quickstart does, too). Or install Pulumi 3 yourself, on PATH.",
  });
}

/**
 * The environment in which the engine runs for a project: engine, language host and the provider of dynamic resources
 * on PATH, state and passphrase in the project's `.containarium` unless the project or the environment says otherwise.
 * @param {string} projectDirectory the folder of Pulumi.yaml
 * @param {string} [stack] `local` always has its state in `.containarium`
 * @param {NodeJS.ProcessEnv} [env] what to start from
 * @returns {NodeJS.ProcessEnv}
 * @throws {SetupError} when there is no engine
 */
function engineEnvironment(projectDirectory, stack, env = process.env) {
  const engine = requireEngine(env);
  const directories = [
    path.dirname(engine.pulumi),
    path.dirname(engine.languageHost),
    ...pluginDirectory(engine, projectDirectory),
  ];
  return {
    ...env,
    PATH: [...new Set(directories), env.PATH].join(path.delimiter),
    PULUMI_SKIP_UPDATE_CHECK: "1",
    NODE_OPTIONS: withDeferredModules(env.NODE_OPTIONS),
    // It was built because downloads are blocked: asking for plugins would only take time to fail.
    ...(engine.origin === "built" ? { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" } : {}),
    ...localState(projectDirectory, stack, env),
  };
}

/** @param {string} [options] what Node is told already @returns {string} */
function withDeferredModules(options = "") {
  const wanted = `--require ${JSON.stringify(path.join(__dirname, "defer-modules.js"))}`;
  return options.includes(wanted) ? options : `${options} ${wanted}`.trim();
}

/**
 * Backend and passphrase. Made only where the state is ours to keep: in a clone, or where quickstart has been.
 * @param {string} projectDirectory @param {string | undefined} stack @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
function localState(projectDirectory, stack, env) {
  const directory = path.join(projectDirectory, ".containarium");
  const passphrase = path.join(directory, "passphrase");
  const given = env.PULUMI_CONFIG_PASSPHRASE !== undefined || Boolean(env.PULUMI_CONFIG_PASSPHRASE_FILE);
  if (env.PULUMI_BACKEND_URL || (stack !== "local" && !keepsLocalState(projectDirectory))) {
    return given || !fs.existsSync(passphrase) ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: passphrase };
  }
  const state = path.join(directory, "state");
  fs.mkdirSync(state, { recursive: true, mode: 0o700 });
  return {
    PULUMI_BACKEND_URL: `file://${state}`,
    ...(given ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: ensurePassphrase(passphrase) }),
  };
}

/** @param {string} projectDirectory */
function keepsLocalState(projectDirectory) {
  if (fs.existsSync(path.join(projectDirectory, ".containarium", "state"))) return true;
  const project = path.join(projectDirectory, "Pulumi.yaml");
  const namesBackend = fs.existsSync(project) && /^backend:/m.test(fs.readFileSync(project, "utf8"));
  return !namesBackend && path.resolve(projectDirectory) === packageRoot();
}

/** Makes the file with a new passphrase unless it is there. @param {string} file */
function ensurePassphrase(file) {
  try {
    fs.writeFileSync(file, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  }
  return file;
}

/**
 * The provider of dynamic resources is beside the engine, or comes with the SDK: the project's own, or ours.
 * @param {Engine} engine @param {string} projectDirectory @returns {string[]}
 */
function pluginDirectory({ pulumi }, projectDirectory) {
  if (isExecutable(path.join(path.dirname(fs.realpathSync(pulumi)), "pulumi-resource-pulumi-nodejs"))) return [];
  return [path.dirname(require.resolve("@pulumi/pulumi/package.json", { paths: [projectDirectory, packageRoot()] }))];
}

/** Where the npm package `pulumi` and the Automation API put what they download. @param {NodeJS.ProcessEnv} env */
function downloadDirectory(env) {
  return path.join(env.PULUMI_HOME || path.join(os.homedir(), ".pulumi"), "versions", engineVersion, "bin");
}

/** @param {NodeJS.ProcessEnv} env */
function buildDirectory(env) {
  return path.join(cacheDirectory(env), "engine", engineVersion, "bin");
}

/** @param {string} directory @param {"download" | "built"} origin @returns {Engine | undefined} */
function engineIn(directory, origin) {
  const engine = {
    pulumi: path.join(directory, "pulumi"),
    languageHost: path.join(directory, "pulumi-language-nodejs"),
  };
  if (!isExecutable(engine.pulumi) || !isExecutable(engine.languageHost)) return undefined;
  return { ...engine, version: engineVersion, origin };
}

/** @param {NodeJS.ProcessEnv} env @returns {Engine | undefined} */
function engineOnPath(env) {
  const pulumi = which("pulumi", env);
  if (pulumi === undefined) return undefined;
  // Inside of `npm run pulumi` our own build is on PATH already.
  if (path.dirname(pulumi) === buildDirectory(env)) return engineIn(buildDirectory(env), "built");
  const beside = path.join(path.dirname(fs.realpathSync(pulumi)), "pulumi-language-nodejs");
  const languageHost = isExecutable(beside) ? beside : which("pulumi-language-nodejs", env);
  const version = versionOf(pulumi, env);
  if (languageHost === undefined || version === undefined || !fits(version)) return undefined;
  return { pulumi, languageHost, version, origin: "path" };
}

/** @param {string} version */
function fits(version) {
  const [major, minor] = version.split(".").map(Number);
  return major === 3 && (minor ?? 0) >= oldestMinor;
}

/**
 * `pulumi version` takes 0.3 s, and the CLI asks at every run: remembered until the file changes.
 * @param {string} pulumi @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
function versionOf(pulumi, env) {
  const { mtimeMs, size } = fs.statSync(pulumi);
  const key = `${fs.realpathSync(pulumi)}:${mtimeMs}:${size}`;
  const file = path.join(cacheDirectory(env), "engine", "on-path.json");
  try {
    const known = JSON.parse(fs.readFileSync(file, "utf8"));
    if (known.key === key) return known.version;
  } catch {
    // Not seen before.
  }
  const version = askVersion(pulumi, env);
  if (version !== undefined) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, JSON.stringify({ key, version }));
  }
  return version;
}

/** @param {string} pulumi @param {NodeJS.ProcessEnv} env @returns {string | undefined} */
function askVersion(pulumi, env) {
  try {
    const options = {
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "1" },
      timeout: 20_000,
      encoding: /** @type {const} */ ("utf8"),
    };
    const said = execFileSync(pulumi, ["version"], { ...options, stdio: ["ignore", "pipe", "ignore"] });
    return /v?(\d+\.\d+\.\d+)/.exec(said)?.[1];
  } catch {
    return undefined;
  }
}

/** @param {string} program @param {NodeJS.ProcessEnv} env @returns {string | undefined} */
function which(program, env) {
  const directories = (env.PATH ?? "").split(path.delimiter).filter((directory) => path.isAbsolute(directory));
  return directories.map((directory) => path.join(directory, program)).find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile() && fs.statSync(file).size > 0;
  } catch {
    return false;
  }
}

module.exports = { engineVersion, buildDirectory, engineEnvironment, findEngine, requireEngine, which };
