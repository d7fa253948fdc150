"use strict";

/**
 * @typedef {import("./statistics").Outcome} Outcome
 * @typedef {Record<string, string>} Machine what it was measured on, by what
 */

/** @param {number} value */
function number(value) {
  if (!Number.isFinite(value)) return "-";
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** @param {import("./statistics").Spread} spread @param {string} unit */
function spread({ median, low, high }, unit) {
  return `${number(median)} ${unit} (${number(low)}-${number(high)})`;
}

const heads = ["figure", "ours", "bare", "ratio", "goal", "", "runs"];

/** @param {Outcome} outcome */
function row({ name, ours, bare, unit, ratio, goal, met, runs }) {
  return [
    name,
    spread(ours, unit),
    spread(bare, unit),
    `${number(ratio)}x`,
    goal,
    met ? "met" : "missed",
    String(runs),
  ];
}

/** PURE: for a terminal. @param {Outcome[]} outcomes */
function table(outcomes) {
  const rows = [heads, ...outcomes.map(row)];
  const widths = heads.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? "").length)));
  const lines = rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()); // prettier-ignore
  return [...lines, ...outcomes.flatMap(({ name, parts }) => partsLine(parts).map((text) => `${name}: ${text}`))].join(
    "\n",
  );
}

/** One line, or none. @param {Record<string, number>} parts */
function partsLine(parts) {
  const figures = Object.entries(parts).map(([part, value]) => `${part} ${number(value)}`);
  return figures.length > 0 ? [figures.join(", ")] : [];
}

/** @param {Outcome} outcome */
function whereItGoes({ name, parts, notes }) {
  const text = [...partsLine(parts).map((line) => `${line}.`), ...(notes === "" ? [] : [notes])];
  return text.length > 0 ? [`**${name}**: ${text.join("\n")}`] : [];
}

const warmPool = `Containers that are made in advance, and claimed by who comes, were tried and not built. Incus 6.0.4 does not rename a
running or a frozen container, and the name \`<user>-container\` is a contract: scripts, snapshots and backups go by it, and
of two who create one person in the same moment Incus refuses the second by it. So a claim has to stop, rename and boot.
Medians of nine in turns, in brackets the fastest, in ms (of 2026-11-29; since then a create, and each that boots, takes
half a second less, see **create**):

| | until SSH answers |
| --- | --- |
| create, as it is | 3500 (2715) |
| a pool of stopped containers, renamed | 3814 (2219) |
| a pool of running ones, stopped to be renamed | 3260 (2291) |
| a pool of running ones that keep their names, against the contract | 868 (351) |

The rename costs what the copy did. Of the last, the account, host keys and machine id take at least 217, the jump account at
least 132, proving the way in at least 320: a tenth of a second is out of reach, with the contract or without it.`;

/** PURE: the page of the documentation. @param {Outcome[]} outcomes @param {Machine} machine @param {string} date */
function page(outcomes, machine, date) {
  const rows = outcomes.map((outcome) => `| ${row(outcome).map((cell) => (cell === "missed" ? "**missed**" : cell)).join(" | ")} |`); // prettier-ignore
  return `# Performance

<!-- Written by  npm run bench . -->

What we do, measured beside the bare parts that it is made of: each figure is a ratio against a baseline that ran in turns
with it (ours, bare, ours, bare ...) on the same machine in the same minutes. The medians, and in brackets where half of the
runs lie. Ratios carry over to other machines; milliseconds do not.

![Ours and bare, side by side](performance.svg)

| ${heads.join(" | ")} |
| ${heads.map(() => "---").join(" | ")} |
${rows.join("\n")}

Measured on ${date}: ${Object.entries(machine)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")}.

## What is compared

${outcomes.map(({ name, oursIs, bareIs }) => `- **${name}**: ${oursIs}; bare: ${bareIs}.`).join("\n")}

## Where the time goes

Medians of the parts, in the figure's unit.

${outcomes.flatMap(whereItGoes).join("\n\n")}

## Not built: a warm pool

${warmPool}

## To measure it

\`\`\`
npm run quickstart
npm run bench
npm run bench -- create --runs 20
\`\`\`
`;
}

module.exports = { page, table };
