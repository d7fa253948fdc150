"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { isProcessAlive } = require("./process-alive");
const { SetupError } = require("./setup-error");

/**
 * @typedef {object} LockOptions
 * @property {number} [timeoutMs] default ten minutes
 * @property {(holder: number) => void} [onWait] called once, when there is somebody to wait for
 */

/**
 * Does `work` while nobody else does, in any process of this machine. The lock is a file that names its holder; that of
 * a process that is no more is taken over, so a killed run blocks nobody.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @param {LockOptions} [options]
 * @returns {Promise<T>}
 * @throws {SetupError} when somebody else holds it for longer than `timeoutMs`
 */
async function withFileLock(file, work, { timeoutMs = 600_000, onWait } = {}) {
  const deadline = Date.now() + timeoutMs;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  let told = false;
  while (!tryLock(file)) {
    const holder = holderOf(file);
    if (holder !== undefined && !told) {
      onWait?.(holder.pid);
      told = true;
    }
    if (Date.now() > deadline) {
      throw new SetupError(`process ${holder?.pid} holds ${file}`, { remedy: "Wait for it to end, then try again." });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    return await work();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

/** @param {string} file */
function tryLock(file) {
  // Written beside and linked: whoever sees the lock sees who holds it.
  const mine = `${file}.${process.pid}`;
  fs.writeFileSync(mine, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }));
  try {
    if (isOrphan(file)) removeOrphan(file);
    fs.linkSync(mine, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    return false;
  } finally {
    fs.rmSync(mine, { force: true });
  }
}

/** Only one of several waiters can rename it away. @param {string} file */
function removeOrphan(file) {
  const aside = `${file}.${process.pid}.orphan`;
  try {
    fs.renameSync(file, aside);
  } catch {
    return;
  }
  // Between look and rename somebody else may have taken it over: then it goes back.
  if (!isOrphan(aside) && !fs.existsSync(file)) fs.linkSync(aside, file);
  fs.rmSync(aside, { force: true });
}

/** @param {string} file @returns {{pid: number, started: string | undefined} | undefined} */
function holderOf(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/** @param {string} file */
function isOrphan(file) {
  const holder = holderOf(file);
  if (holder === undefined) return false;
  if (!isProcessAlive(holder.pid)) return true;
  // Process ids are used again; a start time tells two of them apart.
  return holder.started !== undefined && startOf(holder.pid) !== holder.started;
}

/** When a process was started, in ticks since boot; undefined where there is no /proc. @param {number} pid */
function startOf(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

module.exports = { withFileLock };
