"use strict";

const path = require("node:path");

const { mustRun, run } = require("../../run");
const { timed } = require("../figure");

const megabytes = 200;

/** @type {import("../figure").Figure} */
module.exports = {
  name: "backup",
  ours: `\`backup\` of a container with ${megabytes} MB of random data, to a file`,
  bare: "`incus export` on the server, piped over OpenSSH",
  unit: "MB/s",
  goal: { ratio: 0.7, atLeast: true },
  runs: 3,
  prepare: async (site) => {
    const user = site.nextUser();
    await site.ops.createContainer(site.server, site.person(user));
    const container = `${user}-container`;
    const fill = `head -c ${megabytes}000000 /dev/urandom > /root/data; sync`;
    await mustRun(run, ["incus", "exec", site.machine, "--", "incus", "exec", container, "--", "sh", "-c", fill]);
    const file = path.join(site.scratch, "backup.tar.gz");
    const remote = `sudo -n sh -c 'incus export ${container} /srv/containarium/bench.tar.gz --instance-only -q && cat /srv/containarium/bench.tar.gz; rm -f /srv/containarium/bench.tar.gz'`; // prettier-ignore
    const ssh = ["ssh", "-i", path.join(site.root, ".containarium", "admin_key"), "-o", `UserKnownHostsFile=${site.knownHosts()}`, "-o", "StrictHostKeyChecking=yes", "-p", String(site.address.port), `${site.address.adminUser}@${site.address.address}`]; // prettier-ignore
    return {
      measure: async () => {
        const ours = await timed(() => site.command(["backup", user, "-o", file, "--force"]));
        const pipe = `${[...ssh, remote].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")} > ${file}`;
        const bare = await timed(() => mustRun(run, ["sh", "-c", pipe]));
        return { ours: (megabytes * 1000) / ours, bare: (megabytes * 1000) / bare };
      },
      end: () => site.ops.deleteContainer(site.server, user).then(() => undefined),
    };
  },
};
