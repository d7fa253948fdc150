"use strict";

const width = 720;
const left = 130;
const bar = 14;
const pitch = 46;

/** @param {string} text */
function escaped(text) {
  return text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * PURE: an SVG with two bars for each figure, bare above ours, the bare one always as long as any other: what counts is
 * the ratio. A thin line over each bar shows where half of the runs lie.
 * @param {import("./statistics").Outcome[]} outcomes
 */
function drawing(outcomes) {
  const most = Math.max(2, ...outcomes.map(({ ours, bare }) => Math.max(ours.high, bare.high) / bare.median));
  const scale = (width - left - 120) / most;
  const figures = outcomes.map(({ name, ours, bare, unit, ratio, met }, index) => {
    const top = 40 + index * pitch;
    /** @param {import("./statistics").Spread} spread @param {number} y @param {string} colour @param {string} label */
    const line = ({ median, low, high }, y, colour, label) =>
      [
        `<rect x="${left}" y="${y}" width="${x(median)}" height="${bar}" fill="${colour}"/>`,
        `<line x1="${left + x(low)}" x2="${left + x(high)}" y1="${y + bar / 2}" y2="${y + bar / 2}" stroke="#333"/>`,
        `<text x="${left + x(Math.max(median, high)) + 6}" y="${y + bar - 3}">${escaped(label)}</text>`,
      ].join("");
    /** @param {number} value */
    const x = (value) => Math.round((value / bare.median) * scale);
    const text = `${ours.median.toPrecision(3)} ${unit}, ${ratio.toFixed(2)}x${met ? "" : ": missed"}`;
    return [
      `<text x="${left - 8}" y="${top + bar + 4}" text-anchor="end">${escaped(name)}</text>`,
      line(bare, top, "#b8c4ce", `${bare.median.toPrecision(3)} ${unit}`),
      line(ours, top + bar + 2, met ? "#2f7d5b" : "#b5542c", text),
    ].join("");
  });
  const height = 50 + outcomes.length * pitch;
  const head = `<text x="${left}" y="20">bare (grey) and ours; the bare parts of each figure are one unit long</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">\n<rect width="${width}" height="${height}" fill="white"/>\n${head}\n${figures.join("\n")}\n</svg>\n`;
}

module.exports = { drawing };
