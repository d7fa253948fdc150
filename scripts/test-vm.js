"use strict";

/**
 * `npm run test:vm`: a Debian 13 server with ZFS in a virtual machine, from its first boot to power cuts and new boot
 * disks. Sets up all that it needs, on a bare machine too: QEMU, the golden image, the VM's boot disk (some minutes, once).
 */
const path = require("node:path");
const { spawn } = require("node:child_process");

const { ensureFreshBuild } = require("./fresh-build");
const { setUpHost } = require("./host-setup");
const { thisHost } = require("./host/host");
const { packageRoot } = require("./paths");
const { createProgress } = require("./progress");
const { ensureNodePackages } = require("./quickstart/packages");
const { run } = require("./run");
const { runMain } = require("./setup-error");
const { ensureVmImage } = require("./vm/image");
const { ensureQemu } = require("./vm/packages");

const stories = {
  whole: path.join("tests", "vm", "debian-zfs.test.ts"),
  short: path.join("tests", "vm", "short.test.ts"),
};

/** @param {string[]} args `--short`, or whatever jest takes; by default, the whole story */
async function testVm(args, root = packageRoot()) {
  const progress = createProgress();
  const onProgress = progress.note;
  await progress.phase(
    "This host",
    () => setUpHost({ projectDirectory: root, interactive: false, yes: true, say: onProgress }),
    (did) => did,
  );
  await progress.phase(
    "QEMU",
    () => ensureQemu(thisHost(), { onProgress }),
    (did) => did,
  );
  // The compiler and what is installed and packed beside it keep different things busy.
  await Promise.all([
    progress.phase("Boot disk", () => ensureVmImage({ onProgress })),
    programAndImage(root, progress),
  ]);
  return await runJest(root, args);
}

/** @param {string} root @param {import("./progress").Progress} progress */
async function programAndImage(root, { phase, note: onProgress }) {
  await phase(
    "npm packages",
    () => ensureNodePackages({ root, runner: run }),
    (did) => did,
  );
  await phase("Build", () => ensureFreshBuild(root, { onProgress }));
  const { ensureImages } = require(path.join(root, "dist", "components", "local", "images.js"));
  await phase("Golden image", () => ensureImages({ onProgress }));
}

/** @param {string} root @param {string[]} args @returns {Promise<number>} */
function runJest(root, args) {
  const jest = path.join(root, "node_modules", "jest", "bin", "jest.js");
  // One story in order: what comes after a failure would only tell of it again.
  const command = [
    jest,
    "--selectProjects",
    "vm",
    "--runInBand",
    "--bail",
    "--testTimeout=1800000",
    ...(args.length === 0 ? [stories.whole] : args.map((word) => (word === "--short" ? stories.short : word))),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, { cwd: root, stdio: "inherit" });
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

if (require.main === module) void runMain(() => testVm(process.argv.slice(2)));
