import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as path from "node:path";

import { bridgeAddress } from "../../../../components/local/address-plan";
import type { Inventory } from "../../../../ops/fleet/inventory";
import { type Result, run, succeed } from "../../../e2e/clone";
import { EngineProject } from "../engine-run";
import { preemptMachine, startStoppedMachines } from "./backing";
import { MachineHost, type MachinesOptions } from "./host";

/** One of this repository's Google stacks, with machines behind it, as its administrator and its people meet it. */
export class MachineStack {
  private constructor(
    readonly project: EngineProject,
    readonly host: MachineHost,
  ) {}

  /**
   * @param people who lives on which server
   * @param config what else is set, beside all that an administrator has to say
   */
  static async create(
    stack: string,
    machines: MachinesOptions,
    people: Record<string, string>,
    config: Record<string, unknown> = {},
  ): Promise<MachineStack> {
    const host = new MachineHost(machines);
    await host.claim();
    const made = new MachineStack(await EngineProject.ofStack(stack, {}, { machines }), host);
    made.project.configure({
      "gcp:project": "acme",
      subnet: machines.subnet,
      allowedSshSources: [machines.subnet],
      // Everybody on this host comes from its end of the bridge, and tries until all servers have heard of them.
      neverBan: [bridgeAddress(machines.subnet).replace("/24", "")],
      adminSshKeys: [made.newKey("admin")],
      adminIdentityFile: made.file("admin"),
      dataDiskSizeGb: 10,
      containers: Object.entries(people).map(([user, server]) => ({
        user,
        server,
        sshKeys: [made.newKey(user)],
        memory: "512MiB",
        diskQuota: "2GB",
      })),
      ...config,
    });
    return made;
  }

  /** Machines, retained disks and the project's folder. */
  async remove(): Promise<void> {
    await this.host.release();
    this.project.remove();
  }

  /** A command in the person's container: OpenSSH with the file that `export` gives them. @param through a door */
  async as(user: string, command: string, through?: string): Promise<Result> {
    const config = this.file(`${user}.conf`);
    const door = through ?? (await this.inventory()).balancer?.address;
    const name = door === undefined ? [] : ["-o", `HostName=${door}`];
    const jump = ["ssh", "-F", config, ...quick, ...name, "-W", "%h:%p", `${user}-jump`].join(" ");
    return await run(["ssh", "-F", config, ...quick, "-o", `ProxyCommand=${jump}`, `${user}-dev`, command], {
      cwd: this.project.root,
      timeoutMs: 60_000,
    });
  }

  /** `containarium-ops export`: asks the servers for the host keys that it pins. */
  async export(user: string): Promise<void> {
    const args = ["export", user, "--key", this.file(user), "--output", this.file(`${user}.conf`)];
    await succeed(["node", path.resolve("bin/containarium-ops"), ...args, "--stack", this.project.stack], {
      cwd: this.project.root,
      env: this.project.environment,
    });
  }

  async inventory(): Promise<Inventory> {
    return (await this.project.outputs())["inventory"] as Inventory;
  }

  /** As root on a server, past everything that is under test. */
  onServer(vm: string, command: string): Promise<Result> {
    return run(["incus", "exec", this.host.instance(vm), "--", "bash", "-c", command], { cwd: this.project.root });
  }

  preempt(vm: string): Promise<void> {
    return preemptMachine(this.host, vm);
  }

  /** What the scheduler's jobs do every minute. */
  startStopped(): Promise<string[]> {
    return startStoppedMachines(this.host, this.project.google);
  }

  publicKey(name: string): string {
    return readFileSync(`${this.file(name)}.pub`, "utf8").trim();
  }

  newKey(name: string): string {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", this.file(name)]);
    return this.publicKey(name);
  }

  private file(name: string): string {
    return path.join(this.project.root, name);
  }
}

const quick = ["-o", "BatchMode=yes", "-o", "IdentityAgent=none", "-o", "ConnectTimeout=5", "-o", "LogLevel=ERROR"];
