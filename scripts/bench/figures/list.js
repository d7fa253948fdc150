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
    "The instances, the jump accounts, and whose SSH greets are asked for at the same time, the last two of the helper on the server; the answer waits for the latest. Before, each container that runs was asked for its banner after the list, through the same line: one more round trip, and 1.79x. Who does not greet the server within a quarter of a second is still looked at that way. On two processors Incus, the helper and our end share what they have.",
  prepare: async (site) => {
    await site.bare(["records", "100", await site.goldenFingerprint()]);
    return {
      measure: async () => {
        const ours = await timed(() => site.ops.listContainers(site.server));
        const bare = await timed(() => site.server.incus.instances.list());
        const accounts = await timed(() => site.server.helper({ op: "account.list" }));
        const greeting = await timed(() => site.server.helper({ op: "ssh.probe" }));
        return { ours, bare, parts: { "the helper's accounts": accounts, "who greets": greeting } };
      },
      end: async () => void (await site.bare(["remove", "bench-record-"])),
    };
  },
};
