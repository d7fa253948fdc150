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
  return rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n"); // prettier-ignore
}

/** PURE: the page of the documentation. @param {Outcome[]} outcomes @param {Machine} machine @param {string} date */
function page(outcomes, machine, date) {
  const rows = outcomes.map((outcome) => `| ${row(outcome).map((cell) => (cell === "missed" ? "**missed**" : cell)).join(" | ")} |`); // prettier-ignore
  const parts = outcomes.filter(({ parts }) => Object.keys(parts).length > 0);
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

${parts
  .map(
    ({ name, parts }) =>
      `- **${name}**: ${Object.entries(parts)
        .map(([part, value]) => `${part} ${number(value)}`)
        .join(", ")}`,
  )
  .join("\n")}

\`\`\`
npm run quickstart
npm run bench
npm run bench -- create --runs 20
\`\`\`
`;
}

module.exports = { page, table };
