"use strict";

const { timed } = require("../figure");

/** @type {import("../figure").Figure} */
module.exports = {
  name: "list",
  ours: "`listContainers` of a hundred stopped ones, and of those that the fleet has, over an open connection",
  bare: "one GET /1.0/instances?recursion=1 over the same connection",
  unit: "ms",
  goal: { ratio: 1.2 },
  runs: 20,
  notes:
    "The instances and the jump accounts are asked for at the same time, and the answer waits for the later. Then each container that runs is asked for its SSH banner, through the same line: that is one more round trip, and on a busy server as long as the list itself. A stopped one costs nothing more. Asking the helper anew for each operation cost a start of Python; it now stays as long as the connection.",
  prepare: async (site) => {
    await site.bare(["records", "100", await site.goldenFingerprint()]);
    return {
      measure: async () => {
        const ours = await timed(() => site.ops.listContainers(site.server));
        const bare = await timed(() => site.server.incus.instances.list());
        const accounts = await timed(() => site.server.helper({ op: "account.list" }));
        return { ours, bare, parts: { "the helper's accounts, at the same time": accounts } };
      },
      end: async () => void (await site.bare(["remove", "bench-record-"])),
    };
  },
};
