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
    "The copy, the start and the boot are Incus' and the container's, in both; `instance` has the look before it at what there is, too. `user`: files in a container that does not run yet, for each of which Incus starts a process; the baseline writes who it is for, without which its sshd does not start, ours the keys too, side by side with it. `start`: beside it the jump account is made. `ssh`: the rest of the boot, then the banner and the host key by the person's whole way, on which the proof has logged in meanwhile, a look at account, keys and host key from within, and the mark that it is complete. Whoever asks an address that nobody has yet learns only a second later that somebody has it, by TCP's and ARP's rules; a container boots in half of that. Until 2026-11-30 both sides waited that second out (1.24x). Now both ask every 50 ms, and the image does less at boot: a create takes some fifth less, and the bare one a third, so the ratio is worse. What is left is work, not waiting: a create keeps three quarters of two processors busy, and a part of that is SSH and Node at our end, which is another machine elsewhere.",
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
