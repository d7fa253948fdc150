"use strict";

/**
 * Brings the engine to a machine that has none: by the npm package `pulumi`, which downloads it, or, where the download
 * is blocked, built by Go from its published modules (pinned in scripts/engine). Once; kept in the cache.
 */
const fs = require("node:fs");
const path = require("node:path");

const { buildDirectory, engineVersion, findEngine, which } = require("./engine");
const { withFileLock } = require("./file-lock");
const { packageRoot } = require("./paths");
const { seconds } = require("./progress");
const { lastLines, mustRun, run } = require("./run");
const { SetupError } = require("./setup-error");

/**
 * @typedef {object} InstallOptions
 * @property {(line: string) => void} [onProgress]
 * @property {import("./run").Runner} [runner]
 * @property {NodeJS.ProcessEnv} [env]
 */

/** The npm package whose `PULUMI_VERSION` says which engine it downloads; its own version is another. */
const downloader = "pulumi@3.265.0";

/** A blocked download fails within seconds by itself; one that crawls is given up, in ms. */
const downloadTimeoutMs = 10 * 60_000;
const buildTimeoutMs = 60 * 60_000;

/**
 * What is built: the engine itself, and the host that runs Node programs for it. The version is what `pulumi version`
 * and the plugin checks say.
 */
const builds = [
  {
    program: "pulumi-language-nodejs",
    module: "language-nodejs",
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    usual: "a few seconds to a minute",
  },
  {
    program: "pulumi",
    module: "pulumi",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    usual: "3 to 6 minutes, once",
  },
];

/**
 * Finds the engine, or brings it.
 * @param {InstallOptions} [options]
 * @returns {Promise<import("./engine").Engine>}
 * @throws {SetupError} saying what was tried and what to do
 */
async function ensureEngine({ onProgress = () => undefined, runner = run, env = process.env } = {}) {
  const found = findEngine(env);
  if (found) return complete(found);
  const lock = path.join(path.dirname(path.dirname(buildDirectory(env))), ".lock");
  return await withFileLock(lock, async () => complete(findEngine(env) ?? (await bring({ onProgress, runner, env }))), {
    timeoutMs: buildTimeoutMs,
    onWait: (holder) => onProgress(`process ${holder} is bringing the engine; waiting for it`),
  });
}

/** Gives our own build what a distribution has. @param {import("./engine").Engine} engine */
function complete(engine) {
  if (engine.origin === "built") {
    addDynamicProvider(engine);
    wrapLanguageHost(engine);
  }
  return engine;
}

/**
 * A distribution has the provider of dynamic resources beside the engine; our build gets the one that comes with the
 * SDK. (From anywhere else on PATH the engine takes it too, with a warning at every run.)
 * @param {import("./engine").Engine} engine
 */
function addDynamicProvider({ pulumi }) {
  const name = "pulumi-resource-pulumi-nodejs";
  const target = path.join(path.dirname(pulumi), name);
  const source = path.join(packageRoot(), "node_modules", "@pulumi", "pulumi", name);
  if (!fs.existsSync(target) && fs.existsSync(source)) replaceFile(target, (file) => fs.copyFileSync(source, file));
}

/**
 * The last language host that Go can fetch as a module learns of the project's settings by flags, which today's engine
 * no longer gives: it would prepare for TypeScript whatever Pulumi.yaml says. The engine starts it in the project's folder.
 */
const languageHostWrapper = `#!/bin/sh
if grep -Eq '^ +typescript: +false *$' Pulumi.yaml 2>/dev/null; then set -- -typescript=false "$@"; fi
exec "$(dirname "$(readlink -f "$0")")/host/pulumi-language-nodejs" "$@"
`;

/** @param {import("./engine").Engine} engine */
function wrapLanguageHost({ languageHost }) {
  if (fs.statSync(languageHost).size < 4096 && fs.readFileSync(languageHost, "utf8") === languageHostWrapper) return;
  const host = path.join(path.dirname(languageHost), "host", path.basename(languageHost));
  fs.mkdirSync(path.dirname(host), { recursive: true });
  try {
    // Whoever is first: what another puts in its place later is the wrapper.
    fs.linkSync(languageHost, host);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
  }
  replaceFile(languageHost, (file) => fs.writeFileSync(file, languageHostWrapper, { mode: 0o755 }));
}

/** Never half a file, also for others who do the same. @param {string} target @param {(file: string) => void} write */
function replaceFile(target, write) {
  const file = `${target}.${process.pid}`;
  write(file);
  fs.renameSync(file, target);
}

/** @param {Required<InstallOptions>} options @returns {Promise<import("./engine").Engine>} */
async function bring(options) {
  const failure = await download(options);
  const downloaded = findEngine(options.env);
  if (downloaded) return downloaded;
  options.onProgress(`the download does not work here (${failure}); building it with Go instead`);
  await requireGo(options, failure);
  await buildAll(options);
  const built = findEngine(options.env);
  if (built) return built;
  throw new SetupError(`the engine was built, but is not in ${buildDirectory(options.env)}`);
}

/** @param {Required<InstallOptions>} options @returns {Promise<string>} why it did not work, if it did not */
async function download({ onProgress, runner, env }) {
  onProgress(`looking for a download of Pulumi ${engineVersion}`);
  // `npm exec` takes the project's own version of a package first; an empty prefix has none.
  const command = ["npm", "exec", "--yes", "--loglevel=error", `--package=${downloader}`, "--", "pulumi", "version"];
  const { code, stdout, stderr } = await runner(command, {
    cwd: path.parse(packageRoot()).root,
    env: { ...env, PULUMI_VERSION: engineVersion, PULUMI_SKIP_UPDATE_CHECK: "1" },
    timeoutMs: downloadTimeoutMs,
  });
  if (code === 0) return "it left nothing";
  return lastLines(`${stdout}\n${stderr}`, 1) || `exit code ${code}`;
}

/** @param {Required<InstallOptions>} options @param {string} failure */
async function requireGo({ onProgress, runner, env }, failure) {
  const wanted = goVersionOf("pulumi");
  const remedy = [
    "One of these, then the same command again:",
    `- put Pulumi 3.200 or newer on PATH (pulumi.com/docs/install)`,
    `- put Go ${wanted.join(".")} or newer on PATH (go.dev/dl): then the engine is built from its modules`,
  ].join("\n");
  const go = which("go", env);
  if (go === undefined) {
    throw new SetupError("no Pulumi engine: it cannot be downloaded here, and there is no Go to build it with", {
      log: failure,
      remedy,
    });
  }
  // Asked where it will build: since 1.21, Go fetches the version that go.mod names, unless GOTOOLCHAIN forbids it.
  onProgress(`asking ${go} for Go ${wanted.join(".")}`);
  const { stdout, stderr } = await runner([go, "env", "GOVERSION"], buildOptions("pulumi", env));
  const version = /\bgo(\d+(?:\.\d+)*)/.exec(stdout)?.[1];
  if (version !== undefined && compareVersions(version.split(".").map(Number), wanted) >= 0) return;
  throw new SetupError(
    `no Pulumi engine: it cannot be downloaded here, and ${version === undefined ? go : `go${version}`} is too old`,
    { log: [failure, lastLines(stderr, 2)].filter(Boolean).join("\n"), remedy },
  );
}

/** The Go version that the pinned modules of a build need. @param {string} module @returns {number[]} */
function goVersionOf(module) {
  const text = fs.readFileSync(path.join(moduleDirectory(module), "go.mod"), "utf8");
  return (/^go ([\d.]+)$/m.exec(text)?.[1] ?? "0").split(".").map(Number);
}

/** @param {number[]} a @param {number[]} b negative when `a` is older */
function compareVersions(a, b) {
  for (const [index, part] of b.entries()) {
    const difference = (a[index] ?? 0) - part;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** @param {string} module */
function moduleDirectory(module) {
  return path.join(packageRoot(), "scripts", "engine", module);
}

/** How Go is run for a build; whatever else somebody told it does not count. @param {string} module @param {NodeJS.ProcessEnv} env */
function buildOptions(module, env) {
  return { cwd: moduleDirectory(module), env: { ...env, GOFLAGS: "", GOWORK: "off", CGO_ENABLED: "0" } };
}

/**
 * Everything is built aside and moved into place at the end: a killed build leaves nothing that looks like an engine.
 * @param {Required<InstallOptions>} options
 */
async function buildAll({ onProgress, runner, env }) {
  const target = path.dirname(buildDirectory(env));
  fs.mkdirSync(path.dirname(target), { recursive: true });
  // The lock is ours: what is there of other builds was left by runs that were killed.
  for (const name of fs.readdirSync(path.dirname(target))) {
    if (name.startsWith(`${path.basename(target)}.build-`))
      fs.rmSync(path.join(path.dirname(target), name), { recursive: true, force: true });
  }
  const work = fs.mkdtempSync(`${target}.build-`);
  try {
    for (const build of builds) await buildOne(build, path.join(work, "bin"), { onProgress, runner, env });
    fs.rmSync(target, { recursive: true, force: true });
    fs.renameSync(work, target);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

/** @param {typeof builds[number]} build @param {string} bin @param {Required<InstallOptions>} options */
async function buildOne(build, bin, { onProgress, runner, env }) {
  const begin = Date.now();
  onProgress(`building ${build.program} ${engineVersion} with Go (${build.usual})`);
  const alive = setInterval(() => onProgress(`building ${build.program}: ${seconds(Date.now() - begin)}`), 20_000);
  try {
    const flags = `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${engineVersion}`;
    const output = path.join(bin, build.program);
    await mustRun(
      runner,
      ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", output, build.package],
      {
        ...buildOptions(build.module, env),
        timeoutMs: buildTimeoutMs,
        failure: `${build.program} could not be built`,
        remedy:
          "Go takes modules from its proxy: can this host reach it?  Then the same command again; it goes on from there.",
      },
    );
  } finally {
    clearInterval(alive);
  }
  onProgress(`built ${build.program} (${seconds(Date.now() - begin)})`);
}

module.exports = { ensureEngine };

if (require.main === module) {
  const { runMain } = require("./setup-error");
  void runMain(async () => {
    const engine = await ensureEngine({ onProgress: (line) => void process.stderr.write(`${line}\n`) });
    process.stdout.write(`${engine.pulumi} ${engine.version} (${engine.origin})\n`);
  });
}
