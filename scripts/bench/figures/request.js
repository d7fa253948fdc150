"use strict";

const { timed } = require("../figure");
const { quantile } = require("../statistics");

/** @type {import("../figure").Figure} */
module.exports = {
  name: "request",
  ours: "one warm GET /1.0 over SSH, the median of fifty",
  bare: "the same on the server itself, over one connection to the socket",
  unit: "ms",
  goal: { ratio: 1.5 },
  runs: 8,
  prepare: async (site) => ({
    measure: async () => {
      const times = [];
      for (let turn = 0; turn < 50; turn++) times.push(await timed(() => site.server.incus.server()));
      return { ours: quantile(times, 0.5), bare: (await site.bare(["requests", "50"])).total };
    },
  }),
};
