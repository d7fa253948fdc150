"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { mustRun, run } = require("../../run");
const { timed } = require("../figure");

const megabytes = 100;
const memory = "most memory in MB";

/** Loaded into a process of node, it writes down how much memory that had at most: its own, not what its parent had. */
const witness = (/** @type {string} */ file) => `
const fs = require("node:fs");
process.on("exit", () => fs.writeFileSync(${JSON.stringify(file)}, /VmHWM:\\s*(\\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]));
`;

/** @param {string} folder */
function peakIn(folder) {
  const [script, file] = [path.join(folder, "peak.js"), path.join(folder, "peak")];
  fs.writeFileSync(script, witness(file));
  return {
    environment: { NODE_OPTIONS: `--require ${script}` },
    megabytes: () => (Number(fs.readFileSync(file, "utf8")) * 1024) / 1e6,
  };
}

/** @type {import("../figure").Figure} */
module.exports = {
  name: "backup",
  ours: `\`backup\` of a container with ${megabytes} MB of random data, to a file`,
  bare: "`incus export` on the server, piped over OpenSSH",
  unit: "MB/s",
  goal: { ratio: 0.7, atLeast: true, parts: { [memory]: 150 } },
  runs: 3,
  prepare: async (site) => {
    const user = site.nextUser();
    await site.ops.createContainer(site.server, site.person(user));
    const container = `${user}-container`;
    const fill = `head -c ${megabytes}000000 /dev/urandom > /root/data; sync`;
    await mustRun(run, ["incus", "exec", site.machine, "--", "incus", "exec", container, "--", "sh", "-c", fill]);
    const file = path.join(site.scratch, "backup.tar.gz");
    const remote = `sudo -n sh -c 'incus export ${container} /srv/containarium/bench.tar.gz --instance-only -q && cat /srv/containarium/bench.tar.gz; rm -f /srv/containarium/bench.tar.gz'`; // prettier-ignore
    const ssh = site.openSsh();
    const peak = peakIn(site.scratch);
    return {
      measure: async () => {
        const ours = await timed(() => site.command(["backup", user, "-o", file, "--force"], peak.environment));
        const pipe = `${[...ssh, remote].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")} > ${file}`;
        const bare = await timed(() => mustRun(run, ["sh", "-c", pipe]));
        return {
          ours: (megabytes * 1000) / ours,
          bare: (megabytes * 1000) / bare,
          parts: { [memory]: peak.megabytes() },
        };
      },
      end: () => site.ops.deleteContainer(site.server, user).then(() => undefined),
    };
  },
};
