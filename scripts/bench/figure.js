"use strict";

const { performance } = require("node:perf_hooks");

/**
 * @typedef {import("./site").Site} Site
 *
 * @typedef {object} Measures one round; all in the figure's unit
 * @property {number} ours
 * @property {number} bare
 * @property {Record<string, number>} [parts] what ours went to; another unit is in the part's name
 *
 * @typedef {object} Figure what is measured, against what
 * @property {string} name on the command line
 * @property {string} ours what we do
 * @property {string} bare the bare parts that it is measured beside
 * @property {string} unit `ms`, `MB/s` or `MB`
 * @property {Goal} goal
 * @property {number} runs rounds, where nobody says how many
 * @property {string} [notes] for the page: what the time is spent on, and what was tried
 * @property {(site: Site) => Promise<Round>} prepare
 *
 * @typedef {object} Goal
 * @property {number} [ratio] ours to bare: at most, or with `atLeast` at least
 * @property {boolean} [atLeast]
 * @property {number} [beside] by how much ours may lie above bare
 * @property {number} [absolute] the most that ours may be, whatever the rest is
 * @property {Record<string, number>} [parts] the most that each of these parts may be
 *
 * @typedef {object} Round
 * @property {() => Promise<Measures>} measure one round, both of them: A, B, A, B ...
 * @property {() => Promise<void>} [end] leaves the fleet as it was
 */

/** @param {() => Promise<unknown>} work @returns {Promise<number>} milliseconds */
async function timed(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

module.exports = { timed };
