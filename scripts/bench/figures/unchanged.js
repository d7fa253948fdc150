"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { timed } = require("../figure");
const { newPublicKey } = require("../site");

const count = 250;
/** As in our project. */
const runtime = "runtime:\n  name: nodejs\n  options:\n    typescript: false\n";

/** Ours but for create, so that nobody has to make 250 containers: what an unchanged `up` runs is all ours. @param {string} root */
const provider = (root) => `
const real = require(${JSON.stringify(path.join(root, "dist", "components", "provider.js"))});
const create = async (inputs) => ({ id: inputs.user + "-container", outs: { ...inputs, ip: "", hostKeys: [] } });
exports.container = { ...real.container, create };
`;

/** @param {string} root @param {string} sshKey */
const ours = (root, sshKey) => `
const { Container } = require(${JSON.stringify(path.join(root, "dist", "components", "container.js"))});
const server = { name: "jump-1", address: "192.0.2.1", port: 22, adminUser: "admin", hostKeys: ["ssh-ed25519 AAAA"] };
for (let n = 0; n < ${count}; n++) new Container("user" + n, { user: "user" + n, sshKeys: [${JSON.stringify(sshKey)}], server });
`;

const empty = `
const pulumi = require("@pulumi/pulumi");
const provider = { create: async (inputs) => ({ id: inputs.user, outs: inputs }) };
class Empty extends pulumi.dynamic.Resource {
  constructor(user) { super(provider, user, { user }, {}, "bench", "Empty"); }
}
for (let n = 0; n < ${count}; n++) new Empty("user" + n);
`;

/** @type {import("../figure").Figure} */
module.exports = {
  name: "unchanged",
  ours: `\`pulumi up\` with ${count} unchanged containers`,
  bare: `the engine's own with ${count} empty dynamic resources`,
  unit: "ms",
  goal: { ratio: 1.2 },
  runs: 3,
  notes:
    "Pulumi serialised a provider object for each container, which took longer than all the rest; now containers share one (2.3x before). What is left over the baseline is a container's dozen inputs instead of one, which program, engine and provider hand on for each: empty resources with a container's inputs took as long as containers, within what a busy machine lets one see (three turns: containers 0.97x to 1.26x of empty ones, empty ones with their inputs 0.88x to 1.28x). Checking and comparing 250 of them is not seen in it. In both, Node loads what only serialises functions when it is needed (scripts/defer-modules.js): two seconds less for each.",
  prepare: async (site) => {
    /** @param {string} name @param {string} program */
    const project = async (name, program) => {
      const folder = path.join(site.scratch, name);
      fs.mkdirSync(path.join(folder, "node_modules", "containarium"), { recursive: true });
      fs.symlinkSync(path.join(site.root, "node_modules", "@pulumi"), path.join(folder, "node_modules", "@pulumi"));
      fs.writeFileSync(path.join(folder, "node_modules", "containarium", "provider.js"), provider(site.root));
      fs.writeFileSync(path.join(folder, "Pulumi.yaml"), `name: ${name}\n${runtime}main: program.js\n`);
      fs.writeFileSync(path.join(folder, "package.json"), "{}");
      fs.writeFileSync(path.join(folder, "program.js"), program);
      const env = { ...site.environment, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "bench" };
      await site.pulumi(["stack", "init", "bench"], folder, env);
      const up = () => site.pulumi(["up", "--yes", "--skip-preview", "--suppress-progress", "--suppress-outputs", "--stack", "bench"], folder, env); // prettier-ignore
      await up();
      return up;
    };
    const [mine, bare] = [
      await project("containers", ours(site.root, newPublicKey())),
      await project("nothing", empty),
    ];
    return { measure: async () => ({ ours: await timed(mine), bare: await timed(bare) }) };
  },
};
