"use strict";

/**
 * The engine's file backend locks a stack with a file, and a run that was killed leaves it there for good. Where its
 * process was of this machine and is no more, nobody holds that lock: whoever comes next takes it away. Each run has a
 * file of its own, so nobody can take away another's by mistake.
 */
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/**
 * Whether the process that locked it was of this machine and is no more.
 * @param {{hostname?: unknown, pid?: unknown}} lock
 */
function isOrphan({ hostname, pid }) {
  if (hostname !== os.hostname() || typeof pid !== "number" || pid <= 0) return false;
  return !isAlive(pid);
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return /** @type {NodeJS.ErrnoException} */ (error).code !== "ESRCH";
  }
  try {
    // One that has ended stays there as Z until somebody asks how; in a container perhaps nobody ever does.
    return !/^\d+ \(.*\) [ZX]/s.test(fs.readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

/**
 * Takes away the orphaned locks of all stacks of a project, or of one.
 * @param {string} backend the folder of the `file://` backend @param {string} project its name @param {string} [stack]
 * @returns {number} how many there were
 */
function removeOrphanLocks(backend, project, stack) {
  const folder = path.join(backend, ".pulumi", "locks", "organization", project);
  const stacks = stack === undefined ? list(folder) : [stack];
  const files = stacks.flatMap((name) => list(path.join(folder, name)).map((file) => path.join(folder, name, file)));
  // Beside each lock the backend keeps a file of attributes.
  const orphans = files.filter((file) => file.endsWith(".json") && isOrphan(read(file)));
  for (const file of orphans) fs.rmSync(file, { force: true });
  return orphans.length;
}

/** @param {string} folder @returns {string[]} */
function list(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

/** Half-written, or gone: held by somebody, as far as we can tell. @param {string} file */
function read(file) {
  try {
    return Object(JSON.parse(fs.readFileSync(file, "utf8")));
  } catch {
    return {};
  }
}

module.exports = { isOrphan, removeOrphanLocks };
