"use strict";

/**
 * One line per step, with its time; `begin` lines show what is going on meanwhile. Data goes to stdout, this goes to
 * stderr.
 * @typedef {object} Progress
 * @property {(line: string) => void} note  something worth a line within a phase
 * @property {<T>(title: string, work: () => Promise<T> | T, done?: (result: T) => string | undefined) => Promise<T>} phase
 */

/** How often a phase that says nothing is shown to be alive, in ms. */
const heartbeatMs = 15_000;

/**
 * @param {{write?: (text: string) => void, now?: () => number, heartbeat?: number}} [options]
 * @returns {Progress}
 */
function createProgress({
  write = (text) => void process.stderr.write(text),
  now = Date.now,
  heartbeat = heartbeatMs,
} = {}) {
  return {
    note: (line) => write(`    ${line}\n`),
    async phase(title, work, done) {
      const begin = now();
      const timer = setInterval(() => write(`    ${title}: ${seconds(now() - begin)}\n`), heartbeat);
      timer.unref();
      try {
        const result = await work();
        write(`✓ ${column(title, done?.(result))} ${seconds(now() - begin)}\n`);
        return result;
      } catch (error) {
        write(`✗ ${column(title)} ${seconds(now() - begin)}\n`);
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}

/** @param {number} ms */
function seconds(ms) {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  return `${Math.floor(ms / 60_000)}m${String(Math.floor((ms % 60_000) / 1000)).padStart(2, "0")}s`;
}

/** @param {string} title @param {string} [result] */
function column(title, result = "") {
  return `${title.padEnd(28)} ${result.padEnd(48)}`;
}

module.exports = { createProgress, seconds };
