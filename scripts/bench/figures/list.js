"use strict";

const { timed } = require("../figure");

/** @type {import("../figure").Figure} */
module.exports = {
  name: "list",
  ours: "`listContainers` of a hundred stopped ones over an open connection",
  bare: "one GET /1.0/instances?recursion=1 over the same connection",
  unit: "ms",
  goal: { ratio: 1.2 },
  runs: 20,
  prepare: async (site) => {
    await site.bare(["records", "100", await site.goldenFingerprint()]);
    return {
      measure: async () => ({
        ours: await timed(() => site.ops.listContainers(site.server)),
        bare: await timed(() => site.server.incus.instances.list()),
      }),
      end: async () => void (await site.bare(["remove", "bench-record-"])),
    };
  },
};
