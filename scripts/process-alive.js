"use strict";

const fs = require("node:fs");

/**
 * Whether a process of this machine still runs. One that has ended and that its parent never asked about still answers
 * to signals: where process 1 is no init, as in many a container, for good.
 * @param {number} pid
 */
function isProcessAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Everything else (EPERM: it belongs to somebody else) proves nothing.
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH") return false;
  }
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    // There is no /proc here.
    return true;
  }
}

module.exports = { isProcessAlive };
