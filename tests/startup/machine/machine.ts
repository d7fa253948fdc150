import { spawn, spawnSync } from "node:child_process";
import path from "node:path";
import type { HelperAnswer } from "../answer";

const ROOT = path.resolve(__dirname, "../../..");
const STAND_INS = "/usr/local/lib/stand-ins";

export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface SshOptions {
  user?: string;
  /** Name of a key in the machine's keys folder. */
  key?: string;
  /** Which of the laptops' addresses the connection comes from. */
  from?: string;
  port?: number;
  /** The remote command. */
  command?: string[];
  input?: string;
}

/** A disposable Debian 13 machine, an Incus instance, that prepare.sh turned into a jump server with stand-ins. */
export class Machine {
  constructor(readonly name: string) {}

  /** Copies the startup files and the stand-ins into the machine and runs prepare.sh. Throws with its output. */
  prepare(): void {
    this.copy(path.join(ROOT, "startup"), "/usr/local/lib/containarium");
    this.copy(__dirname, STAND_INS);
    const run = spawnSync("incus", ["exec", this.name, "--", `${STAND_INS}/prepare.sh`], { encoding: "utf8" });
    if (run.status !== 0) throw new Error(`prepare.sh failed in ${this.name}: ${run.stdout}${run.stderr}`);
  }

  private copy(from: string, to: string): void {
    const packed = spawnSync("tar", ["-C", from, "-cf", "-", "."], { maxBuffer: 1e8 });
    const argv = ["exec", this.name, "--", "sh", "-c", `mkdir -p ${to} && tar -C ${to} --no-same-owner -xf -`];
    const run = spawnSync("incus", argv, { input: packed.stdout, encoding: "utf8" });
    if (run.status !== 0) throw new Error(`cannot copy into ${this.name}: ${run.stderr}`);
  }

  run(argv: string[], input = ""): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const child = spawn("incus", ["exec", this.name, "-T", "--", ...argv]);
      const outcome: Outcome = { status: null, stdout: "", stderr: "" };
      child.stdout.on("data", (data) => (outcome.stdout += data));
      child.stderr.on("data", (data) => (outcome.stderr += data));
      child.on("error", reject);
      child.on("close", (status) => resolve({ ...outcome, status }));
      child.stdin.end(input);
    });
  }

  /** The output of a command that must succeed. */
  async output(script: string): Promise<string> {
    const outcome = await this.run(["bash", "-euc", script]);
    if (outcome.status !== 0) throw new Error(`${script}: ${outcome.status} ${outcome.stdout}${outcome.stderr}`);
    return outcome.stdout.trim();
  }

  async helper(request: unknown): Promise<HelperAnswer> {
    const outcome = await this.run(["/usr/local/sbin/containarium-host"], JSON.stringify(request));
    return JSON.parse(outcome.stdout) as HelperAnswer;
  }

  /** A laptop's ssh to the server. */
  ssh(flags: string[], options: SshOptions = {}): Promise<Outcome> {
    return this.run(["timeout", "20", ...sshCommand(flags, options)], options.input);
  }

  /**
   * What comes back from there, or `refused: ...`; `as` is a network namespace or the uid of a jump account, `own` the
   * address that it is asked from. With `dhcp`, the port is the type of the message.
   */
  async reach(
    kind: "tcp" | "udp" | "unix" | "ping" | "dhcp",
    address: string,
    port: number | "",
    as?: string | number,
    own?: string,
  ): Promise<string> {
    const prefix =
      typeof as === "number"
        ? ["setpriv", "--reuid", `${as}`, "--regid", await this.jumpGroup(), "--clear-groups"]
        : as === undefined
          ? []
          : ["ip", "netns", "exec", as];
    const place = [address, ...(port === "" ? [] : [`${port}`]), ...(own === undefined ? [] : [own])];
    const argv = [...prefix, "python3", `${STAND_INS}/reach.py`, kind, ...place];
    // reach.py always says something. `incus exec`, many at once, now and then loses what a short program printed.
    let outcome: Outcome;
    for (let tries = 1; ; tries++) {
      outcome = await this.run(argv);
      if (outcome.stdout.trim() !== "") return outcome.stdout.trim();
      if (tries === 3) throw new Error(`reach.py said nothing: ${outcome.status} ${outcome.stderr}`);
    }
  }

  /** The uids of those addresses, in order, as `uid address`. */
  async targets(): Promise<string[]> {
    const set = await this.output("nft -n list set inet containarium jump_targets");
    return [...set.matchAll(/(\d+) \. ([\d.]+) \. 22\b/g)].map(([, uid, address]) => `${uid} ${address}`).sort();
  }

  private group: Promise<string> | undefined;
  private jumpGroup(): Promise<string> {
    this.group ??= this.output("getent group containarium-jump").then((line) => line.split(":")[2]!);
    return this.group;
  }
}

export function sshCommand(flags: string[], options: SshOptions = {}): string[] {
  const { user = "alice", key = "laptop", from = "198.51.100.2", port = 22, command = [] } = options;
  const settings = ["IdentitiesOnly=yes", "BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"];
  return [
    ...["ip", "netns", "exec", "outside", "ssh", "-F", "/dev/null", "-b", from, "-p", `${port}`, "-l", user],
    ...["-i", `${STAND_INS}/keys/${key}`, "-o", "LogLevel=INFO", ...settings.flatMap((setting) => ["-o", setting])],
    ...[...flags, "198.51.100.1", ...command],
  ];
}
