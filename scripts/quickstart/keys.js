"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { mustRun } = require("../run");

/**
 * The administrator's key and alice's. Keys that are there stay.
 * @param {import("./layout").Quickstart} quickstart
 * @returns {Promise<string>}
 */
async function ensureKeys({ files, runner }) {
  const made = [
    await ensureKey(files.adminKey, "containarium-admin", runner),
    await ensureKey(files.aliceKey, "alice", runner),
  ];
  return made.includes(true) ? "made" : "there";
}

/**
 * @param {string} file @param {string} comment @param {import("../run").Runner} runner
 * @returns {Promise<boolean>} whether it was made
 */
async function ensureKey(file, comment, runner) {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const there = fs.existsSync(file);
  if (!there) await mustRun(runner, ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
  if (!fs.existsSync(`${file}.pub`)) {
    const publicKey = await mustRun(runner, ["ssh-keygen", "-y", "-f", file]);
    fs.writeFileSync(`${file}.pub`, `${publicKey.trim().split(" ").slice(0, 2).join(" ")} ${comment}\n`);
  }
  fs.chmodSync(file, 0o600);
  return !there;
}

module.exports = { ensureKeys };
