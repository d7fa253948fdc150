"use strict";

const fs = require("node:fs");

const { mustRun, run } = require("../run");
const { SetupError } = require("../setup-error");

/**
 * This host, as far as setting it up looks at it and changes it. Tests give another.
 * @typedef {object} Host
 * @property {import("../run").Runner} run
 * @property {(file: string) => string | undefined} read content of a file; undefined when there is none
 * @property {(file: string) => boolean} exists
 * @property {number} uid
 */

/** @returns {Host} */
function thisHost() {
  return {
    run,
    read(file) {
      try {
        return fs.readFileSync(file, "utf8");
      } catch {
        return undefined;
      }
    },
    exists: (file) => fs.existsSync(file),
    uid: process.getuid?.() ?? 0,
  };
}

/**
 * The same command, with root's rights. Never asks for a password: `requireRoot` did, at the beginning.
 * @param {Host} host @param {string[]} command
 */
function asRoot(host, command) {
  return host.uid === 0 ? command : ["sudo", "-n", ...command];
}

/**
 * Runs a command as root that has to succeed.
 * @param {Host} host @param {string[]} command @param {Parameters<typeof mustRun>[2]} [options]
 */
function runAsRoot(host, command, options) {
  return mustRun(host.run, asRoot(host, command), options);
}

/**
 * @param {Host} host
 * @param {{interactive: boolean, askPassword: () => Promise<boolean>}} options `askPassword`: lets sudo ask on the terminal
 * @throws {SetupError} when this user has no way to be root
 */
async function requireRoot(host, { interactive, askPassword }) {
  if (host.uid === 0) return;
  if ((await host.run(["sudo", "-n", "true"])).code === 0) return;
  if (interactive && (await askPassword())) return;
  throw new SetupError("setting up this host needs root's rights", {
    remedy:
      "Run it as root, or as a user with sudo; off a terminal sudo must not need a password (or run  sudo -v  before).",
  });
}

module.exports = { asRoot, requireRoot, runAsRoot, thisHost };
