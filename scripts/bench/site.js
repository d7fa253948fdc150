"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const { engineEnvironment } = require("../engine");
const { openConfig } = require("../quickstart/stack");
const { mustRun, run } = require("../run");
const { SetupError } = require("../setup-error");

/** Everybody whom the benchmark makes has a name that begins so; whoever is left of a killed run is removed. */
const prefix = "bench-";

/**
 * @typedef {typeof import("../../ops")} Ops
 *
 * @typedef {object} SiteParts
 * @property {string} root of this project
 * @property {string} stack
 * @property {string} scratch a folder for files, which goes at the end
 * @property {Ops} ops the built library
 * @property {NodeJS.ProcessEnv} environment the engine's
 * @property {import("../../ops").Inventory} inventory
 * @property {import("../../ops").InventoryServer} address of the first server
 * @property {import("../../ops").Server} server the same, connected
 * @property {string} keyFile a public key, for everybody who is made
 */

/** The fleet that is measured, and this project. */
class Site {
  made = 0;

  /** @param {SiteParts} parts */
  constructor({ root, stack, scratch, ops, environment, inventory, address, server, keyFile }) {
    this.root = root;
    this.stack = stack;
    this.scratch = scratch;
    this.ops = ops;
    this.environment = environment;
    this.inventory = inventory;
    this.address = address;
    this.server = server;
    this.keyFile = keyFile;
    this.cli = path.join(root, "bin", "containarium-ops");
    /** The first server's name on this host. */
    this.machine = stack === "local" ? address.name : `${stack}-${address.name}`;
  }

  /**
   * Connects to the first server, and removes what a killed run has left there.
   * @param {string} root @param {string} stack
   * @throws {SetupError} where there is no fleet
   */
  static async open(root, stack) {
    const environment = engineEnvironment(root, stack);
    const command = ["pulumi", "stack", "output", "inventory", "--json", "--stack", stack];
    const { code, stdout } = await run(command, { cwd: root, env: environment });
    /** @type {import("../../ops").Inventory | undefined} */
    const inventory = code === 0 ? JSON.parse(stdout) : undefined;
    const address = inventory?.servers[0];
    if (inventory === undefined || address === undefined) {
      throw new SetupError(`stack ${stack} has no server`, { remedy: "npm run quickstart" });
    }
    const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-bench-"));
    const key = path.join(scratch, "key");
    await mustRun(run, ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]);
    /** @type {Ops} */
    const ops = require(path.join(root, "dist", "ops", "index.js"));
    const server = await ops.openServer(address, { identityBaseDirectory: root });
    const keyFile = `${key}.pub`;
    const site = new Site({ root, stack, scratch, ops, environment, inventory, address, server, keyFile });
    await site.removePeople();
    return site;
  }

  /** The old connection went with the server. */
  async reconnect() {
    await this.server.close();
    this.server = await this.ops.openServer(this.address, { identityBaseDirectory: this.root });
  }

  async goldenFingerprint() {
    const { images } = await this.ops.listImages(this.server);
    const golden = images.find(({ name }) => name === this.inventory.defaults.image);
    if (golden === undefined) throw new Error("the server has no golden image");
    return golden.fingerprint;
  }

  /** Far above those that people are given while this runs. */
  freeAddress() {
    return this.address.containerSubnet.replace(/\d+\/\d+$/, "180");
  }

  /** @returns {string} a file that pins the server's key */
  knownHosts() {
    const file = path.join(this.scratch, "known_hosts");
    const { address, hostKeys } = this.address;
    fs.writeFileSync(file, hostKeys.map((key) => `${address} ${key}\n`).join(""));
    return file;
  }

  /** A name that nobody has. */
  nextUser() {
    this.made += 1;
    return `${prefix}${this.made}`;
  }

  /** What a new person is given. @param {string} user */
  person(user) {
    return { user, sshKeys: [this.publicKey()], memory: "512MiB", diskQuota: "2GB" };
  }

  publicKey() {
    return fs.readFileSync(this.keyFile, "utf8").trim();
  }

  /** `containarium-ops ...` on the fleet's stack. @param {string[]} args @returns {Promise<string>} its stdout */
  async command(args) {
    return await mustRun(run, ["node", this.cli, ...args, "--stack", this.stack], { cwd: this.root });
  }

  /** @param {string[]} args */
  async pulumi(args, cwd = this.root, env = this.environment) {
    return await mustRun(run, ["pulumi", ...args, "--non-interactive"], { cwd, env });
  }

  /** Runs bare.py as root on the first server, past everything of ours. @param {string[]} args @returns {Promise<any>} */
  async bare(args) {
    const script = fs.readFileSync(path.join(__dirname, "bare.py"), "utf8");
    return JSON.parse(
      await mustRun(run, ["incus", "exec", this.machine, "--", "python3", "-", ...args], { input: script }),
    );
  }

  /** Everybody whom a run has made, also one that was killed. */
  async removePeople() {
    await this.bare(["remove", "bench-bare"]);
    await this.bare(["remove", "bench-record"]);
    const recorded = /** @type {{user: string}[]} */ (
      openConfig(path.join(this.root, `Pulumi.${this.stack}.yaml`)).get("containers") ?? []
    );
    const known = [...recorded, ...(await this.ops.listContainers(this.server))].map(({ user }) => user);
    const users = [...new Set(known.filter((user) => user.startsWith(prefix)))];
    if (users.length > 0) await this.command(["delete", ...users, "--force"]);
  }

  async close() {
    await this.server.close();
    fs.rmSync(this.scratch, { recursive: true, force: true });
  }
}

module.exports = { Site };
