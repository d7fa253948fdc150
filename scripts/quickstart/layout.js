"use strict";

const fs = require("node:fs");
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
 * What a new stack's configuration begins with: Pulumi.local.yaml as it was before quickstart wrote the local fleet's
 * own subnet, people and salt into it.
 * @param {string} root the project's folder
 * @returns {string} a file
 */
function templateConfig(root) {
  const { savedConfig, stackConfig } = layout(root, "local");
  return fs.existsSync(savedConfig) ? savedConfig : stackConfig;
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

module.exports = { layout, shown, templateConfig };
