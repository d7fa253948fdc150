"use strict";

const fs = require("node:fs");
const path = require("node:path");

const { freeSubnet, refuseTakenSubnet } = require("../host-setup");
const { SetupError } = require("../setup-error");
const { engine, mustEngine } = require("./engine-run");
const { templateConfig } = require("./layout");

/**
 * Stack and configuration: makes the stack, chooses the subnet, and sets the number of servers and the balancer when they
 * were asked for.
 * @param {import("./layout").Quickstart & {servers?: number, balancer?: boolean}} quickstart
 * @returns {Promise<string>}
 */
async function ensureStack(quickstart) {
  const { files, root, stack, servers, balancer } = quickstart;
  saveConfig(quickstart);
  if (!fs.existsSync(files.stackConfig)) fs.copyFileSync(templateConfig(root), files.stackConfig);
  const selected = await engine(quickstart, ["stack", "select", stack]);
  if (selected.code !== 0)
    await mustEngine(quickstart, ["stack", "init", stack], { failure: `the stack ${stack} could not be made` });
  const config = openConfig(files.stackConfig);
  const subnet = await chooseSubnet(quickstart, config.get("localSubnet"));
  config.set("localSubnet", subnet);
  if (servers !== undefined) config.set("servers", serverIds(servers, config.get("servers") ?? [1]));
  if (balancer) config.set("loadBalancer", true);
  config.save();
  return `${stack}, ${subnet}`;
}

/** Before anything is changed, once: quickstart:down puts it back. @param {import("./layout").Quickstart} quickstart */
function saveConfig({ files }) {
  if (fs.existsSync(files.savedConfig)) return;
  fs.mkdirSync(path.dirname(files.savedConfig), { recursive: true, mode: 0o700 });
  const before = fs.existsSync(files.stackConfig) ? fs.readFileSync(files.stackConfig) : "";
  fs.writeFileSync(files.savedConfig, before, { mode: 0o600 });
}

/** @param {import("./layout").Quickstart} quickstart @param {unknown} configured @returns {Promise<string>} */
async function chooseSubnet({ root, stack }, configured) {
  if (typeof configured !== "string" || configured === "") return await freeSubnet(`${root}:${stack}`);
  const { localNames } = require(path.join(root, "dist", "components", "local", "address-plan.js"));
  await refuseTakenSubnet(configured, localNames(stack).network);
  return configured;
}

/**
 * @param {number} count @param {unknown} present ids that the configuration has
 * @returns {number[]}
 * @throws {SetupError} when that would remove servers, and with them people's disks
 */
function serverIds(count, present) {
  const wanted = Array.from({ length: count }, (_, index) => index + 1);
  const lost = Array.isArray(present) ? present.filter((id) => !wanted.includes(id)) : [];
  if (lost.length === 0) return wanted;
  throw new SetupError(`--servers ${count} would remove ${lost.map((id) => `jump-${id}`).join(", ")}`, {
    remedy: "quickstart never removes a server. Take its id out of containarium:servers, then  npm run pulumi -- up",
  });
}

/**
 * The stack's configuration file; comments and everything else in it stay as they are.
 * @param {string} file
 */
function openConfig(file) {
  const { parseDocument } = /** @type {typeof import("yaml")} */ (require("yaml"));
  const document = parseDocument(fs.readFileSync(file, "utf8"));
  if (document.errors.length > 0) {
    throw new SetupError(`${path.basename(file)} is not valid YAML`, {
      log: document.errors[0]?.message.split("\n")[0],
    });
  }
  const before = String(document);
  return {
    /** @param {string} key @returns {unknown} */
    get(key) {
      const value = document.getIn(["config", `containarium:${key}`]);
      return document.toJS().config?.[`containarium:${key}`] ?? value;
    },
    /** @param {string} key @param {unknown} value */
    set(key, value) {
      if (JSON.stringify(this.get(key)) === JSON.stringify(value)) return;
      document.setIn(["config", `containarium:${key}`], document.createNode(value));
    },
    save() {
      if (String(document) !== before) fs.writeFileSync(file, String(document));
    },
  };
}

module.exports = { ensureStack, openConfig, serverIds };
