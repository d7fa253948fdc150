"use strict";

const { timed } = require("../figure");

/** @type {import("../figure").Figure} */
module.exports = {
  name: "create",
  ours: "`createContainer` over an open connection, from the call until SSH answered through the jump account",
  bare: "copy, start and first SSH banner on the server itself",
  unit: "ms",
  goal: { ratio: 1.25, beside: 100 },
  runs: 8,
  prepare: async (site) => {
    const fingerprint = await site.goldenFingerprint();
    return {
      measure: async () => {
        const user = site.nextUser();
        /** @type {Record<string, number>} */
        const parts = {};
        const ours = await timed(() =>
          site.ops.createContainer(site.server, site.person(user), {
            onStep: ({ name, milliseconds }) => void (parts[name] = milliseconds),
          }),
        );
        const { total, parts: bareParts } = await site.bare(["create", "bench-bare", site.freeAddress(), fingerprint]);
        for (const [name, value] of Object.entries(bareParts)) parts[`bare ${name}`] = value;
        await site.ops.deleteContainer(site.server, user);
        await site.bare(["remove", "bench-bare"]);
        return { ours, bare: total, parts };
      },
    };
  },
};
