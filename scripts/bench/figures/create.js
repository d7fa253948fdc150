"use strict";

const { timed } = require("../figure");

/** @type {import("../figure").Figure} */
module.exports = {
  name: "create",
  ours: "`createContainer` over an open connection, from the call until SSH answered through the jump account",
  bare: "copy, one file, start and first SSH banner on the server itself",
  unit: "ms",
  goal: { ratio: 1.25, beside: 100 },
  runs: 8,
  notes:
    "The copy, the start and the boot are Incus' and the container's, in both; `instance` has the look before it at what there is, too. `user`: files in a container that does not run yet, for each of which Incus starts a process; the baseline writes who it is for, without which its sshd does not start, ours the keys too, side by side with it. `account`: the jump account, while the container boots. `ssh`: the rest of the boot, then the banner and the host key by the person's whole way, on which the proof has logged in meanwhile, a look at account, keys and host key from within, and the mark that it is complete.",
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
