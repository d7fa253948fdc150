"use strict";

const { timed } = require("../figure");

/** @type {import("../figure").Figure} */
module.exports = {
  name: "command",
  ours: "the command `create`, from process start to exit, recorded in the stack",
  bare: "the slower of its two parts: bare create, and a bare targeted `pulumi up`",
  unit: "ms",
  goal: { ratio: 1.2 },
  runs: 6,
  notes:
    "The engine starts together with the container, and waits in the provider until the container is there: what is `then recorded` is all that it adds. The rest over the baseline is `until ready`, see **create**, made longer by two processors for which the engine and the boot compete.",
  prepare: async (site) => {
    const fingerprint = await site.goldenFingerprint();
    const targeted = ["up", "--yes", "--skip-preview", "--suppress-progress", "--suppress-outputs"];
    return {
      measure: async () => {
        const user = site.nextUser();
        let said = "";
        const limits = ["--memory", "512MiB", "--disk-quota", "2GB"];
        const ours = await timed(async () => {
          said = await site.command(["create", user, "--ssh-key", site.keyFile(user), ...limits, "--json"]);
        });
        const { timings, recording } = JSON.parse(said);
        const up = await timed(() => site.pulumi([...targeted, "--stack", site.stack, "--target", `**:Container::${user}`])); // prettier-ignore
        const { total } = await site.bare(["create", "bench-bare", site.freeAddress(), fingerprint]);
        await site.command(["delete", user, "--force"]);
        await site.bare(["remove", "bench-bare"]);
        const ready = timings[0].milliseconds;
        const parts = { "until ready": ready, "then recorded": recording.milliseconds, "start and inventory": ours - ready - recording.milliseconds, "bare up": up, "bare create": total }; // prettier-ignore
        return { ours, bare: Math.max(up, total), parts };
      },
    };
  },
};
