"use strict";

const { run } = require("../../run");
const { timed } = require("../figure");

/** @param {string} option @returns {import("../figure").Figure} */
const figure = (option) => ({
  name: option.slice(2),
  ours: `\`containarium-ops ${option}\``,
  bare: "`node -e 0`",
  unit: "ms",
  goal: { ratio: 2 },
  runs: 15,
  prepare: async (site) => ({
    measure: async () => ({
      ours: await timed(() => run(["node", site.cli, option])),
      bare: await timed(() => run(["node", "-e", "0"])),
    }),
  }),
});

module.exports = { help: figure("--help"), version: figure("--version") };
