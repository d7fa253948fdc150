"use strict";

const path = require("node:path");

/**
 * Where quickstart keeps what it makes for one stack. Everything is under `.containarium`, which git ignores.
 * @param {string} root the project's folder
 * @param {string} stack
 */
function layout(root, stack) {
  const directory = path.join(root, ".containarium");
  return {
    directory,
    adminKey: path.join(directory, "admin_key"),
    aliceKey: path.join(directory, "keys", "alice"),
    sshConfig: path.join(directory, stack === "local" ? "ssh_config" : `${stack}.ssh_config`),
    stackConfig: path.join(root, `Pulumi.${stack}.yaml`),
    /** The stack's configuration as it was before quickstart; an empty file when there was none. */
    savedConfig: path.join(directory, "saved", `Pulumi.${stack}.yaml`),
    logs: path.join(directory, "logs"),
    state: path.join(directory, "state"),
  };
}

/**
 * @typedef {object} Quickstart
 * @property {string} root
 * @property {string} stack
 * @property {ReturnType<typeof layout>} files
 * @property {import("../run").Runner} runner
 * @property {import("../progress").Progress} progress
 */

/** The same for people to type: relative to the project's folder. @param {string} root @param {string} file */
function shown(root, file) {
  return path.relative(root, file);
}

module.exports = { layout, shown };
