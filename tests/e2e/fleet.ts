import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import * as path from "node:path";

import type { Container } from "../../ops/containers/container";
import { removeLeftovers, type Result, run, stack, succeed, usedClone } from "./clone";

/** What `npx containarium-ops` runs in a clone. */
const program = path.join("bin", "containarium-ops");

/** A fleet of one server for all tests of a file: up before the first, and gone after the last. */
export function fleetOfItsOwn(): TestFleet {
  const fleet = new TestFleet(usedClone());
  beforeAll(async () => {
    await removeLeftovers();
    const { code, stdout, stderr } = await fleet.quickstart();
    if (code !== 0) throw new Error(stdout + stderr);
  });
  afterAll(async () => {
    await fleet.down();
    rmSync(fleet.clone, { recursive: true, force: true });
  });
  return fleet;
}

/** A person's and an administrator's view of the fleet under test: real command lines, in a fresh clone. */
export class TestFleet {
  constructor(readonly clone: string) {}

  /** The host's name for the first server. */
  readonly machine = `${stack}-jump-1`;

  quickstart(...args: string[]): Promise<Result> {
    return run(["npm", "run", "quickstart", "--", "--yes", "--stack", stack, ...args], {
      cwd: this.clone,
      timeoutMs: 1_200_000,
    });
  }

  down(): Promise<Result> {
    return run(["npm", "run", "quickstart:down", "--", "--yes", "--stack", stack], {
      cwd: this.clone,
      timeoutMs: 300_000,
    });
  }

  /** `npm run pulumi -- ...` on the fleet's stack. */
  pulumi(...args: string[]): Promise<Result> {
    return run(["node", "scripts/pulumi.js", ...args, "--stack", stack], {
      cwd: this.clone,
      timeoutMs: 600_000,
    });
  }

  /** `npx containarium-ops ...` on the fleet's stack; npx itself would cost as much as the command. */
  ops(args: string[], options: { env?: NodeJS.ProcessEnv; input?: string; stack?: boolean } = {}): Promise<Result> {
    const target = options.stack === false ? [] : ["--stack", stack];
    return run([program, ...args, ...target], { cwd: this.clone, timeoutMs: 300_000, ...options });
  }

  async list(): Promise<Container[]> {
    const { stdout } = await succeed([program, "list", "--json", "--stack", stack], {
      cwd: this.clone,
    });
    return (JSON.parse(stdout) as { containers: Container[] }).containers;
  }

  /** OpenSSH as the person would use it; `config` is what `export` wrote. */
  ssh(args: string[], config = `.containarium/${stack}.ssh_config`, input?: string): Promise<Result> {
    return run(["ssh", "-F", config, "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", ...args], {
      cwd: this.clone,
      timeoutMs: 60_000,
      input,
    });
  }

  /** Exports a person's SSH config with the key `<user>` of this clone; returns its path. */
  async exported(user: string, jumpIp?: string): Promise<string> {
    const output = path.join(this.clone, jumpIp === undefined ? `${user}.conf` : `${user}.${jumpIp}.conf`);
    const jump = jumpIp === undefined ? [] : ["--jump-ip", jumpIp];
    const args = ["export", user, "--key", path.join(this.clone, user), "--output", output, ...jump];
    await succeed([program, ...args, "--stack", stack], { cwd: this.clone });
    return output;
  }

  /** A new key pair `<user>`, `<user>.pub` in the clone. */
  newKey(user: string): string {
    execFileSync("ssh-keygen", [
      "-q",
      "-t",
      "ed25519",
      "-N",
      "",
      "-C",
      `${user}@laptop`,
      "-f",
      path.join(this.clone, user),
    ]);
    return `${user}.pub`;
  }

  /** Runs a program on the first server as root, past everything that is under test. */
  onServer(command: string[], input?: string): Promise<Result> {
    return run(["incus", "exec", this.machine, "--", ...command], { cwd: this.clone, input });
  }

  /** The same on any of its machines: `jump-2`, `balancer`. */
  on(name: string, command: string[]): Promise<Result> {
    return run(["incus", "exec", `${stack}-${name}`, "--", ...command], { cwd: this.clone });
  }

  /** Address of server `id` on the machines' network. */
  addressOf(id: number): string {
    return this.subnet.replace(/\.0\/24$/, `.${10 + id}`);
  }

  get balancerAddress(): string {
    return this.subnet.replace(/\.0\/24$/, ".5");
  }

  private get subnet(): string {
    return /containarium:localSubnet: (\S+)/.exec(this.config())?.[1] ?? "";
  }

  /** All that a failed command must leave as it was. */
  async everything(): Promise<unknown> {
    const server = await this.onServer([
      "sh",
      "-c",
      "cat /etc/passwd /etc/group; incus list -f csv -c ns; ls /etc/ssh/containarium/authorized_keys.d",
    ]);
    return { server: server.stdout, config: this.config() };
  }

  config(): string {
    return readFileSync(this.configFile, "utf8");
  }

  get configFile(): string {
    return path.join(this.clone, `Pulumi.${stack}.yaml`);
  }

  appendToFile(file: string, text: string): void {
    appendFileSync(path.join(this.clone, file), text);
  }
}
