"use strict";

/**
 * Keeps dist/ true to the sources: old code must never run silently. Asked before every program run, by the CLI's shim,
 * by `npm run pulumi` and by `npm run build`; when nothing changed it costs milliseconds.
 */
const fs = require("node:fs");
const path = require("node:path");

const { withFileLock } = require("./file-lock");
const { isClone, packageRoot } = require("./paths");
const { SetupError, runMain } = require("./setup-error");

/** What dist/ is made from. @type {readonly string[]} */
const sources = ["index.ts", "ops", "components", "bin", "scripts"];
const settings = ["tsconfig.json", "tsconfig.build.json"];
const stampFile = path.join("dist", ".sources");
/** When each source had last changed when their hash was seen to be the build's: reading them all takes longer. */
const seenFile = path.join("dist", ".sources-seen");

/**
 * Builds dist/ when a source changed since the last good build.
 * @param {string} [root] the package's folder; one without sources (an installed package) is left alone
 * @param {{runner?: import("./run").Runner, onProgress?: (line: string) => void}} [options]
 * @returns {Promise<boolean>} whether something was built
 * @throws {SetupError} with the compiler's errors; what was built before stays, and is not run
 */
async function ensureFreshBuild(root = packageRoot(), { runner, onProgress } = {}) {
  if (!isClone(root) || isFresh(root)) return false;
  // Every command asks, and hardly any builds.
  const { run } = require("./run");
  return await withFileLock(
    path.join(root, "dist", ".build-lock"),
    async () => {
      // Somebody else may have built it while we waited.
      if (isFresh(root)) return false;
      await build(root, runner ?? run);
      return true;
    },
    { onWait: (holder) => onProgress?.(`process ${holder} is building; waiting for it`) },
  );
}

/** @param {string} root @param {import("./run").Runner} runner */
async function build(root, runner) {
  const { lastLines } = require("./run");
  const compiler = path.join(root, "node_modules", "typescript", "bin", "tsc");
  if (!fs.existsSync(compiler)) {
    throw new SetupError("the sources changed, and the compiler to build them is not installed", { remedy: "npm ci" });
  }
  // Taken before: a source that is edited during the build makes it stale again.
  const hash = sourceHash(root);
  // Without a good build before, nothing that the compiler remembers of dist/ can be relied on.
  if (!fs.existsSync(path.join(root, stampFile)))
    fs.rmSync(path.join(root, "dist", ".build.tsbuildinfo"), { force: true });
  const { code, stdout, stderr } = await runner([process.execPath, compiler, "-p", "tsconfig.build.json"], {
    cwd: root,
  });
  if (code !== 0) {
    const errors = stdout.split("\n").filter((line) => / error TS\d+: /.test(line));
    throw new SetupError(`the sources do not compile (${errors.length} errors); old code is not run`, {
      log: errors.slice(0, 10).join("\n") || lastLines(stdout + stderr),
      remedy: "Correct them, then run the same command again.",
    });
  }
  removeLeftovers(root);
  await writeManPage(root, runner);
  fs.writeFileSync(path.join(root, stampFile), hash);
}

/** From what was built just now, as `--help` is. @param {string} root @param {import("./run").Runner} runner */
async function writeManPage(root, runner) {
  const { lastLines } = require("./run");
  const writer = path.join(root, "dist", "bin", "help", "write-man-page.js");
  if (!fs.existsSync(writer)) return;
  const { code, stderr } = await runner([process.execPath, writer, path.join(root, "dist", "containarium-ops.1")], {
    cwd: root,
  });
  if (code !== 0) throw new SetupError("the man page could not be written", { log: lastLines(stderr) });
}

/** @param {string} root */
function isFresh(root) {
  try {
    const hash = fs.readFileSync(path.join(root, stampFile), "utf8");
    const looks = looksOf(root);
    if (wasSeen(root, `${hash}\n${looks.text}`, looks.newest)) return true;
    if (sourceHash(root) !== hash) return false;
    remember(path.join(root, seenFile), `${hash}\n${looks.text}`);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} file @param {string} text */
function remember(file, text) {
  try {
    fs.writeFileSync(file, text);
  } catch {
    // Somebody else's clone: they are read every time.
  }
}

/**
 * Whether exactly this was seen, and nothing has changed in the moment in which it was: a second write within a clock's
 * tick would leave no trace (git calls such files racy).
 * @param {string} root @param {string} text @param {number} newest
 */
function wasSeen(root, text, newest) {
  const file = path.join(root, seenFile);
  const seen = fs.statSync(file, { throwIfNoEntry: false });
  return seen !== undefined && newest < seen.mtimeMs - 1_000 && fs.readFileSync(file, "utf8") === text;
}

/** Of all that the hash covers. The kernel sets ctime at every change, of contents, name or times. @param {string} root */
function looksOf(root) {
  let newest = 0;
  const lines = [...sourceFiles(root), ...settings, "package.json"].map((file) => {
    const { ctimeMs } = fs.statSync(`${root}${path.sep}${file}`);
    newest = Math.max(newest, ctimeMs);
    return `${file} ${ctimeMs}`;
  });
  return { text: lines.join("\n"), newest };
}

/**
 * Changes when any source does, by content: times say nothing after a `git checkout`.
 * @param {string} root
 */
function sourceHash(root) {
  const { createHash } = require("node:crypto");
  const hash = createHash("sha256");
  for (const file of [...sourceFiles(root), ...settings]) {
    const content = fs.readFileSync(path.join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  const { version, exports } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"));
  return hash.update(JSON.stringify([version, exports])).digest("hex");
}

/** Sorted, relative to the root. @param {string} root @returns {string[]} */
function sourceFiles(root) {
  return sources.flatMap((name) => filesUnder(root, name)).sort();
}

/** @param {string} root @param {string} name @returns {string[]} */
function filesUnder(root, name) {
  const at = path.join(root, name);
  if (!fs.existsSync(at)) return [];
  if (fs.statSync(at).isFile()) return [name];
  return fs
    .readdirSync(at, { withFileTypes: true })
    .flatMap((entry) => {
      const file = `${name}${path.sep}${entry.name}`;
      return entry.isDirectory() ? filesUnder(root, file) : [file];
    })
    .filter((file) => /\.(ts|js)$/.test(file));
}

/** Output of sources that are no more could still be required. @param {string} root */
function removeLeftovers(root) {
  const stems = new Set(sourceFiles(root).map((file) => file.replace(/\.(ts|js)$/, "")));
  for (const file of filesUnder(root, "dist")) {
    const stem = path.relative("dist", file).replace(/(\.d)?\.(ts|js)$/, "");
    if (stems.has(stem)) continue;
    fs.rmSync(path.join(root, file));
    fs.rmSync(path.join(root, `${file}.map`), { force: true });
  }
}

module.exports = { ensureFreshBuild, sourceHash };

/* istanbul ignore next */
if (require.main === module) {
  void runMain(async () => {
    const built = await ensureFreshBuild(packageRoot(), {
      onProgress: (line) => void process.stderr.write(`${line}\n`),
    });
    process.stderr.write(built ? "✓ built dist/\n" : "✓ dist/ is up to date\n");
  });
}
