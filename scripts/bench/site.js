"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const { engineEnvironment } = require("../engine");
const { mustRun, run } = require("../run");
const { SetupError } = require("../setup-error");

/** Everybody whom the benchmark makes has a name that begins so; whoever is left of a killed run is removed. */
const prefix = "bench-";

/** The fleet that is measured, and this project. */
class Site {
  /** @param {string} root @param {string} stack */
  constructor(root, stack) {
    this.root = root;
    this.stack = stack;
    this.scratch = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-bench-"));
    this.environment = engineEnvironment(root, stack);
    /** @type {typeof import("../../ops")} */
    this.ops = require(path.join(root, "dist", "ops", "index.js"));
    this.cli = path.join(root, "bin", "containarium-ops");
    const key = path.join(this.scratch, "key");
    this.keyFile = `${key}.pub`;
    this.made = 0;
  }

  /** Connects to the first server. @throws {SetupError} where there is no fleet */
  async open() {
    await mustRun(run, ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", this.keyFile.replace(/\.pub$/, "")], {});
    this.sshKey = fs.readFileSync(this.keyFile, "utf8").trim();
    const { code, stdout } = await run(["pulumi", "stack", "output", "inventory", "--json", "--stack", this.stack], {
      cwd: this.root,
      env: this.environment,
    });
    if (code !== 0) throw new SetupError(`there is no fleet of stack ${this.stack}`, { remedy: "npm run quickstart" });
    const inventory = /** @type {import("../../ops").Inventory} */ (JSON.parse(stdout));
    this.inventory = inventory;
    const [address] = inventory.servers;
    if (address === undefined)
      throw new SetupError(`stack ${this.stack} has no server`, { remedy: "npm run quickstart" });
    this.address = address;
    this.server = await this.ops.openServer(address, { identityBaseDirectory: this.root });
    this.machine = this.stack === "local" ? address.name : `${this.stack}-${address.name}`;
    await this.removePeople();
  }

  /** The old connection went with the server. */
  async reconnect() {
    if (this.address === undefined) return;
    await this.server?.close();
    this.server = await this.ops.openServer(this.address, { identityBaseDirectory: this.root });
  }

  async goldenFingerprint() {
    const images = await this.ops.listImages(this.connected);
    const golden = images.images.find(({ name }) => name === this.inventory?.defaults.image);
    if (golden === undefined) throw new Error("the server has no golden image");
    return golden.fingerprint;
  }

  /** Far above those that people are given while this runs. */
  freeAddress() {
    return (this.address?.containerSubnet ?? "").replace(/\d+\/\d+$/, "180");
  }

  /** @returns {string} a file that pins the server's key */
  knownHosts() {
    const file = path.join(this.scratch, "known_hosts");
    const { address = "", hostKeys = [] } = this.address ?? {};
    fs.writeFileSync(file, hostKeys.map((key) => `${address} ${key}\n`).join(""));
    return file;
  }

  /** A name that nobody has. */
  nextUser() {
    this.made += 1;
    return `${prefix}${this.made}`;
  }

  /** @returns {import("../../ops").Server} */
  get connected() {
    if (this.server === undefined) throw new Error("not open");
    return this.server;
  }

  /** What a new person is given. @param {string} user */
  person(user) {
    return { user, sshKeys: [this.sshKey ?? ""], memory: "512MiB", diskQuota: "2GB" };
  }

  /** @param {string[]} args @param {{cwd?: string}} [options] */
  async command(args, options = {}) {
    const { code, stdout, stderr } = await run(["node", this.cli, ...args, "--stack", this.stack], { cwd: this.root, ...options }); // prettier-ignore
    if (code !== 0) throw new Error(`containarium-ops ${args.join(" ")}: exit ${code}\n${stderr}`);
    return stdout;
  }

  /** @param {string[]} args */
  async pulumi(args, cwd = this.root, env = this.environment) {
    return await mustRun(run, ["pulumi", ...args, "--non-interactive"], { cwd, env });
  }

  /** Runs bare.py as root on the first server, past everything of ours. @param {string[]} args @returns {Promise<any>} */
  async bare(args) {
    const script = fs.readFileSync(path.join(__dirname, "bare.py"), "utf8");
    const stdout = await mustRun(run, ["incus", "exec", this.machine ?? "", "--", "python3", "-", ...args], {
      input: script,
    });
    return JSON.parse(stdout);
  }

  /** Everybody whom a run has made, also one that was killed. */
  async removePeople() {
    const containers = await this.ops.listContainers(this.connected);
    const ours = containers.filter(({ user }) => user.startsWith(prefix));
    for (const { user } of ours) await this.ops.deleteContainer(this.connected, user);
    await this.bare(["remove", prefix]);
    const config = fs.readFileSync(path.join(this.root, `Pulumi.${this.stack}.yaml`), "utf8");
    const recorded = [...config.matchAll(/user: (bench-\S+)/g)].map(([, user = ""]) => user);
    if (recorded.length > 0) await run(["node", this.cli, "delete", ...recorded, "--force", "--stack", this.stack], { cwd: this.root }); // prettier-ignore
  }

  async close() {
    await this.server?.close();
    fs.rmSync(this.scratch, { recursive: true, force: true });
  }
}

module.exports = { prefix, Site };
