"use strict";

const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const { engineEnvironment } = require("../engine");
const { openConfig } = require("../quickstart/stack");
const { mustRun, run } = require("../run");
const { SetupError } = require("../setup-error");

/** Everybody whom the benchmark makes has a name that begins so; whoever is left of a killed run is removed. */
const prefix = "bench-";
const leftovers = ["remove", "bench-bare", "bench-record"];
/** As many as `create --from` makes on a server at a time. */
const atOnce = 4;

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
 * @property {string} machine its name on this host
 * @property {import("../../ops").Server} server the same, connected
 */

/** The fleet that is measured, and this project. */
class Site {
  made = 0;

  /** @param {SiteParts} parts */
  constructor({ root, stack, scratch, ops, environment, inventory, address, machine, server }) {
    this.root = root;
    this.stack = stack;
    this.scratch = scratch;
    this.ops = ops;
    this.environment = environment;
    this.inventory = inventory;
    this.address = address;
    this.server = server;
    this.cli = path.join(root, "bin", "containarium-ops");
    this.machine = machine;
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
    // Always the same one, so that a run that was killed leaves its files to the next.
    const scratch = path.join(root, ".containarium", "bench");
    fs.rmSync(scratch, { recursive: true, force: true });
    fs.mkdirSync(scratch, { recursive: true });
    /** @type {Ops} */
    const ops = require(path.join(root, "dist", "ops", "index.js"));
    const machine = stack === "local" ? address.name : `${stack}-${address.name}`;
    await bare(machine, leftovers);
    const server = await ops.openServer(address, { identityBaseDirectory: root });
    const site = new Site({ root, stack, scratch, ops, environment, inventory, address, machine, server });
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

  /** The first of some fifty that people are never given (ops/containers/address.ts). */
  freeAddress() {
    return this.address.containerSubnet.replace(/\d+\/\d+$/, "201");
  }

  /** @returns {string} a file that pins the server's key */
  knownHosts() {
    const file = path.join(this.scratch, "known_hosts");
    const { address, hostKeys } = this.address;
    fs.writeFileSync(file, hostKeys.map((key) => `${address} ${key}\n`).join(""));
    return file;
  }

  /** OpenSSH, as the administrator. @returns {string[]} a command on the server goes behind it */
  openSsh() {
    const { address, adminUser, port } = this.address;
    const pinned = ["-o", `UserKnownHostsFile=${this.knownHosts()}`, "-o", "StrictHostKeyChecking=yes"];
    return ["ssh", "-i", path.join(this.root, ".containarium", "admin_key"), ...pinned, "-p", String(port), `${adminUser}@${address}`]; // prettier-ignore
  }

  /** People, four at a time. @param {number} count @returns {Promise<string[]>} their names */
  async makePeople(count) {
    const users = Array.from({ length: count }, () => this.nextUser());
    await this.each(users, (user) => this.ops.createContainer(this.server, this.person(user)));
    return users;
  }

  /** @param {string[]} users */
  async deletePeople(users) {
    await this.each(users, (user) => this.ops.deleteContainer(this.server, user));
  }

  /** Four at a time. @param {string[]} users @param {(user: string) => Promise<unknown>} work */
  async each(users, work) {
    const rest = [...users];
    const worker = async () => {
      for (let user = rest.shift(); user !== undefined; user = rest.shift()) await work(user);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }

  /** A name that nobody has. */
  nextUser() {
    this.made += 1;
    return `${prefix}${this.made}`;
  }

  /** What a new person is given. @param {string} user */
  person(user) {
    return { user, sshKeys: [newPublicKey()], memory: "512MiB", diskQuota: "2GB" };
  }

  /** A key of their own, which nobody can use. @param {string} user @returns {string} the file of its public half */
  keyFile(user) {
    const file = path.join(this.scratch, `${user}.pub`);
    fs.writeFileSync(file, `${newPublicKey()}\n`);
    return file;
  }

  /** `containarium-ops ...` on the fleet's stack. @param {string[]} args @returns {Promise<string>} its stdout */
  async command(args, environment = {}) {
    const command = ["node", this.cli, ...args, "--stack", this.stack];
    return await mustRun(run, command, { cwd: this.root, env: { ...process.env, ...environment } });
  }

  /** @param {string[]} args */
  async pulumi(args, cwd = this.root, env = this.environment) {
    return await mustRun(run, ["pulumi", ...args, "--non-interactive"], { cwd, env });
  }

  /** Runs bare.py as root on the first server, past everything of ours. @param {string[]} args @returns {Promise<any>} */
  async bare(args) {
    return await bare(this.machine, args);
  }

  /** Our client past SSH: on the socket of the server's Incus, which root of this host reaches by its first process. */
  async clientOnSocket() {
    const state = JSON.parse(await mustRun(run, ["incus", "query", `/1.0/instances/${this.machine}/state`]));
    const socket = `/proc/${state.pid}/root${this.ops.INCUS_SOCKET}`;
    return new this.ops.IncusClient(this.ops.unixSocketStream(socket), { server: this.address.name });
  }

  /** Everybody whom a run has made, also one that was killed. */
  async removePeople() {
    await this.bare(leftovers);
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

/** @param {string} machine @param {string[]} args @returns {Promise<any>} */
async function bare(machine, args) {
  const script = fs.readFileSync(path.join(__dirname, "bare.py"), "utf8");
  // As a unit of its own: it comes to its end, and brings back what it stopped, also when this process is killed.
  const unit = ["systemd-run", "--quiet", "--collect", "--wait", "--pipe", "python3", "-"];
  return JSON.parse(await mustRun(run, ["incus", "exec", machine, "--", ...unit, ...args], { input: script }));
}

function newPublicKey() {
  const fields = [Buffer.from("ssh-ed25519"), randomBytes(32)];
  const blob = Buffer.concat(fields.flatMap((field) => [Buffer.from([0, 0, 0, field.length]), field]));
  return `ssh-ed25519 ${blob.toString("base64")}`;
}

module.exports = { newPublicKey, Site };
