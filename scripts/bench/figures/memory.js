"use strict";

const { setTimeout: sleep } = require("node:timers/promises");

const { quantile } = require("../statistics");

const people = 4;
/** Until what a boot started has ended. */
const idleMs = 20_000;

/** @type {import("../figure").Figure} */
module.exports = {
  name: "memory",
  ours: `what an idle person costs: the median of ${people} containers, without files that the kernel could drop`,
  bare: "the same of a bare copy",
  unit: "MB",
  goal: { absolute: 25 },
  runs: 1,
  prepare: async (site) => {
    const users = await site.makePeople(people);
    await site.bare(["create", "bench-bare", site.freeAddress(), await site.goldenFingerprint()]);
    await sleep(idleMs);
    return {
      measure: async () => {
        const [bare = NaN, ...ours] = (await site.bare(["memory", "bench-bare", ...users.map((user) => `${user}-container`)])).each; // prettier-ignore
        return { ours: quantile(ours, 0.5), bare };
      },
      end: async () => {
        await site.deletePeople(users);
        await site.bare(["remove", "bench-bare"]);
      },
    };
  },
};
