"use strict";

/**
 * A fleet from another program, by Pulumi's Automation API: makes it, adds a person, reads the outputs, destroys it.
 *
 *   cd examples/embedding && GOOGLE_PROJECT=my-project node fleet.js
 *
 * Run it in the folder that belongs to the fleet: there Pulumi keeps its project, and there must be a way to `containarium`
 * (`npm install containarium`). The engine is `pulumi` on PATH; state and passphrase are Pulumi's own settings
 * (PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE).
 */
const fs = require("node:fs");

const { LocalWorkspace } = require("@pulumi/pulumi/automation");
const { containariumProgram, settingsFrom } = require("containarium");

const stackName = process.env.STACK ?? "example";
const publicKey = (/** @type {string} */ file) => fs.readFileSync(file, "utf8").trim();

/** What Pulumi.<stack>.yaml would say. A program keeps it where it likes: in a file, in a database. */
function config() {
  if (process.env.CONFIG) return JSON.parse(process.env.CONFIG);
  return {
    target: "gce",
    servers: [1],
    machineType: "e2-standard-2",
    allowedSshSources: ["203.0.113.0/24"],
    adminSshKeys: [publicKey("admin.pub")],
  };
}

/** @param {object[]} containers the people */
function program(containers) {
  const settings = settingsFrom(stackName, { ...config(), containers }, process.env.GOOGLE_PROJECT);
  return async () => containariumProgram(settings);
}

async function main() {
  const say = (/** @type {string} */ line) => void process.stderr.write(`${line}\n`);
  const onOutput = (/** @type {string} */ text) => void process.stderr.write(text);
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName, projectName: "containarium", program: program([]) },
    { workDir: process.cwd() },
  );
  if (process.env.GOOGLE_PROJECT) await stack.setConfig("gcp:project", { value: process.env.GOOGLE_PROJECT });
  try {
    say("A fleet:");
    await stack.up({ onOutput });

    say("A person:");
    stack.workspace.program = program([{ user: "alice", sshKeys: [publicKey("alice.pub")] }]);
    await stack.up({ onOutput });

    const { inventory, addresses, monthlyCost } = await stack.outputs();
    console.log(
      JSON.stringify({ inventory: inventory?.value, addresses: addresses?.value, monthlyCost: monthlyCost?.value }),
    );
  } finally {
    // The data disks stay in the project, whatever happens.
    say("The end:");
    await stack.destroy({ onOutput });
    await stack.workspace.removeStack(stackName);
  }
}

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
