"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/**
 * The package's own folder. These files run from `scripts/` and, compiled, from `dist/scripts/`.
 * @returns {string}
 */
function packageRoot(from = __dirname) {
  for (let at = from; path.dirname(at) !== at; at = path.dirname(at)) {
    if (fs.existsSync(path.join(at, "package.json"))) return at;
  }
  throw new Error(`no package.json above ${from}`);
}

/**
 * What is found, built or downloaded once for all checkouts of this user: the engine, images, a second Node.
 * `CONTAINARIUM_CACHE` overrides it.
 * @param {NodeJS.ProcessEnv} [env]
 */
function cacheDirectory(env = process.env) {
  if (env.CONTAINARIUM_CACHE) return path.resolve(env.CONTAINARIUM_CACHE);
  return path.join(env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "containarium");
}

/**
 * Is this a clone, with sources to build from? An installed package has none.
 * @param {string} root
 */
function isClone(root) {
  return fs.existsSync(path.join(root, "index.ts"));
}

module.exports = { packageRoot, cacheDirectory, isClone };
