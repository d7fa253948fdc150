"use strict";

/**
 * @typedef {{median: number, low: number, high: number}} Spread of half of the values: the quartiles
 * @typedef {import("./figure").Figure} Figure
 * @typedef {import("./figure").Measures} Measures
 *
 * @typedef {object} Outcome
 * @property {string} name
 * @property {string} oursIs
 * @property {string} bareIs
 * @property {string} unit
 * @property {number} runs
 * @property {Spread} ours
 * @property {Spread} bare
 * @property {number} ratio of the medians
 * @property {string} goal
 * @property {boolean} met
 * @property {Record<string, number>} parts medians
 * @property {string} notes
 */

/** @param {number[]} values @param {number} part 0 to 1 */
function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * part;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** @param {number[]} values @returns {Spread} */
function spreadOf(values) {
  return { median: quantile(values, 0.5), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

/** @param {Figure} figure @param {Measures[]} rounds @returns {Outcome} */
function outcomeOf({ name, ours, bare, unit, goal, notes = "" }, rounds) {
  const [mine, theirs] = [spreadOf(rounds.map((round) => round.ours)), spreadOf(rounds.map((round) => round.bare))];
  const ratio = mine.median / theirs.median;
  const kinds = [...new Set(rounds.flatMap(({ parts = {} }) => Object.keys(parts)))];
  const median = (/** @type {string} */ kind) => quantile(rounds.flatMap(({ parts = {} }) => parts[kind] ?? []), 0.5); // prettier-ignore
  const parts = Object.fromEntries(kinds.map((kind) => [kind, median(kind)]));
  const inRatio = goal.ratio === undefined || (goal.atLeast ? ratio >= goal.ratio : ratio <= goal.ratio);
  const isBeside = goal.beside === undefined || mine.median - theirs.median <= goal.beside;
  const arePartsBelow = Object.entries(goal.parts ?? {}).every(([part, most]) => (parts[part] ?? NaN) <= most);
  const isBelow = goal.absolute === undefined || mine.median <= goal.absolute;
  return {
    name,
    oursIs: ours,
    bareIs: bare,
    unit,
    runs: rounds.length,
    ours: mine,
    bare: theirs,
    ratio,
    goal: goalText(goal, unit),
    met: inRatio && isBeside && isBelow && arePartsBelow,
    parts,
    notes,
  };
}

/** @param {import("./figure").Goal} goal @param {string} unit */
function goalText({ ratio, atLeast, beside, absolute, parts = {} }, unit) {
  return [
    ...(ratio === undefined ? [] : [`${atLeast ? "≥" : "≤"} ${ratio}x`]),
    ...(beside === undefined ? [] : [`≤ ${beside} ${unit} beside it`]),
    ...(absolute === undefined ? [] : [`≤ ${absolute} ${unit}`]),
    ...Object.entries(parts).map(([part, most]) => `${part} ≤ ${most}`),
  ].join(", ");
}

module.exports = { outcomeOf, quantile, spreadOf };
