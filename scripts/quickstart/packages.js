"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { lastLines } = require("../run");
const { SetupError } = require("../setup-error");

/**
 * Installs what package-lock.json says, unless that is what is there.
 * @param {{root: string, runner: import("../run").Runner, logFile?: string}} options
 * @returns {Promise<string>}
 */
async function ensureNodePackages({ root, runner, logFile }) {
  if (!isStale(root)) return "there";
  const { code, stdout, stderr } = await runner(["npm", "ci", "--no-audit", "--no-fund"], {
    cwd: root,
    logFile,
    // The tests' and the build's own packages belong to a clone, whatever NODE_ENV says.
    env: { ...process.env, NODE_ENV: "development" },
  });
  if (code !== 0) {
    // npm says what is wrong first, and how it is used at length.
    const said = stderr.split("\n").filter((line) => /^npm (error|ERR!) \S/.test(line));
    throw new SetupError("npm could not install the packages", {
      log: said.slice(0, 6).join("\n") || lastLines(stdout + stderr),
      remedy: "Can this host reach its npm registry?  npm ping",
    });
  }
  return "installed";
}

/**
 * Compares with what npm wrote down of the last installation.
 * @param {string} root
 */
function isStale(root) {
  const wanted = packagesOf(path.join(root, "package-lock.json"));
  const installed = packagesOf(path.join(root, "node_modules", ".package-lock.json"));
  return Object.entries(wanted).some(([name, { version, optional, peer }]) => {
    if (name === "") return false;
    const found = installed[name];
    // Optional ones are for other platforms.
    return found === undefined ? !optional && !peer : found.version !== version;
  });
}

/** @param {string} file @returns {Record<string, {version?: string, optional?: boolean, peer?: boolean}>} */
function packagesOf(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")).packages ?? {};
  } catch {
    return {};
  }
}

module.exports = { ensureNodePackages, isStale };
