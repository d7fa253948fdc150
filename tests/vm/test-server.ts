import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";

import { localImages } from "../../components/local/images";
import { startupFiles } from "../../components/startup-files";
import { type ServerValues, startupMetadata } from "../../components/startup-script";
import { vmImage } from "../../scripts/vm/image";
import { type Result, run, succeed } from "../e2e/clone";
import { MetadataServer } from "./metadata-server";
import { Vm } from "./vm";

const gib = 1024 ** 3;

/** Who uses it: alice with two keys, bob with one. Each name is that of a key, and of the file that `export` writes. */
const everyLogin = ["alice", "alice-laptop", "bob"] as const;
export type Login = (typeof everyLogin)[number];

/** What this server is told about itself, beyond what every test leaves alone. */
export interface Told {
  dataDiskId: string;
  mayFormat: boolean;
}

export interface OnServer {
  timeoutMs?: number;
  pinned?: boolean;
}

/** One server of a Google fleet and the people who use it: its VM, its disks, its metadata, real command lines. */
export class TestServer {
  readonly directory = mkdtempSync(path.join(os.tmpdir(), "containarium-vm-"));
  readonly metadata = new MetadataServer();
  readonly dataDisk = path.join(this.directory, "data.raw");
  /** The first that was reported: it has to stay. */
  firstHostKey = "";
  /** As `list --json` told of them when they were made. */
  people: unknown[] = [];
  #vm: Vm | undefined;
  #sshPort = 0;

  readonly logins: readonly Login[];

  /** @param short alice alone, without Docker, on one of this host's cores, and no other server to ask for */
  constructor(readonly short = false) {
    this.logins = short ? ["alice"] : everyLogin;
  }

  get users(): Login[] {
    return this.logins.filter((login) => !login.includes("-"));
  }

  /** Keys, ports, disks, metadata: everything but the VM. */
  async prepare(): Promise<void> {
    await this.metadata.listen();
    this.#sshPort = await freePort();
    for (const name of ["admin", ...this.logins]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path.join(this.directory, name)]);
    }
    this.tell({ dataDiskId: "containarium-vm-jump-1", mayFormat: true });
    this.#makeGoldenDisk();
    this.newBootDisk();
    makeDisk(this.dataDisk);
  }

  /** The metadata of the instance, as components/startup-script.ts renders it; the golden image lies on a disk beside. */
  tell(told: Told): void {
    const values: ServerValues & Told = {
      name: "jump-1",
      admin: { user: "admin", authorizedKeys: [this.publicKey("admin")] },
      containerSubnet: "10.0.3.0/24",
      fleetSubnet: "10.64.0.0/24",
      neverBan: ["10.64.0.1"],
      image: "images:ubuntu/24.04",
      ...told,
    };
    const metadata = startupMetadata(startupFiles(), values);
    const server = JSON.parse(metadata["containarium-server"] ?? "") as Record<string, unknown>;
    const { version } = localImages().golden;
    const golden = { imageVersion: version, imageSource: "file:/var/lib/containarium-images/golden.tar.zst" };
    // There could be 239, each of which is asked every half minute: an emulated server has little time beside that.
    if (this.short) delete server["fleetSubnet"];
    this.metadata.attributes = { ...metadata, "containarium-server": JSON.stringify({ ...server, ...golden }) };
    this.metadata.written = {};
  }

  /** `null`: no data disk is attached. */
  start(dataDisk: string | null = this.dataDisk): Vm {
    this.#vm = new Vm({
      directory: this.directory,
      image: vmImage(),
      cores: this.short ? 1 : 2,
      bootDisk: this.#bootDisk,
      dataDisk: dataDisk ?? undefined,
      goldenDisk: path.join(this.directory, "golden.ext4"),
      sshPort: this.#sshPort,
      metadataPort: this.metadata.port,
    });
    this.metadata.written = {};
    this.#vm.start();
    return this.#vm;
  }

  /** Starts it, waits for its startup, which has to succeed. */
  async comesUp(dataDisk: string | null = this.dataDisk): Promise<void> {
    const { status, said } = await this.start(dataDisk).startupEnds();
    if (status !== 0) throw new Error(`startup ended with ${status}\n${said.slice(-5000)}`);
  }

  get vm(): Vm {
    if (this.#vm === undefined) throw new Error("no VM was started");
    return this.#vm;
  }

  /** The boot disk of a new instance. */
  newBootDisk(): void {
    rmSync(this.#bootDisk, { force: true });
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", "-b", vmImage().disk, "-F", "raw", this.#bootDisk]);
  }

  get #bootDisk(): string {
    return path.join(this.directory, "boot.qcow2");
  }

  publicKey(name: string): string {
    return readFileSync(path.join(this.directory, `${name}.pub`), "utf8").trim();
  }

  /** What the server reported by guest attributes since it was last told something, or was started. */
  get hostKey(): string {
    return this.metadata.written["containarium/host-key"] ?? "";
  }

  /**
   * Runs a script on the server as its administrator, with root's rights. The host key is pinned, unless the server has
   * none that anybody could know. All scripts share one connection while it lasts: a login takes an emulated server seconds.
   */
  async onServer(script: string, { timeoutMs = 300_000, pinned = true }: OnServer = {}): Promise<Result> {
    if (pinned) this.#pin();
    const checked = pinned ? ["StrictHostKeyChecking=yes", "UserKnownHostsFile=known_hosts"] : ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]; // prettier-ignore
    const shared = `ControlPath=admin-${pinned}.sock`;
    const settings = ["BatchMode=yes", ...checked, "IdentitiesOnly=yes", "ConnectTimeout=60", shared];
    const where = ["-i", "admin", "-p", String(this.#sshPort), "admin@127.0.0.1"];
    const ssh = ["ssh", "-F", "/dev/null", ...settings.flatMap((setting) => ["-o", setting]), ...where];
    return this.#overShared(ssh, "sudo -n bash -euo pipefail -s", { timeoutMs, input: script });
  }

  /** In the background, with nothing of ours open; where it fails, `ssh` makes a connection of its own, and says why. */
  async #overShared(
    ssh: string[],
    command: string,
    options: { timeoutMs?: number; input?: string } = {},
  ): Promise<Result> {
    const [program = "", ...args] = ssh;
    const { directory: cwd } = this;
    if ((await run([program, "-O", "check", ...args], { cwd, timeoutMs: 60_000 })).code !== 0) {
      const master = spawn(program, ["-fNM", ...args], { cwd, stdio: "ignore" });
      await new Promise((resolve) => master.once("close", resolve));
    }
    return run([...ssh, command], { cwd, timeoutMs: 300_000, ...options });
  }

  /** As `onServer`; a failure fails the test. Returns what was said, without the last line's end. */
  async succeed(script: string, options?: OnServer): Promise<string> {
    const result = await this.onServer(script, options);
    if (result.code !== 0) throw new Error(`${script}\nexit ${result.code}\n${result.stdout}\n${result.stderr}`);
    return result.stdout.trimEnd();
  }

  /** `containarium-ops`, from the administrator's own machine. */
  ops(...args: string[]): Promise<Result> {
    this.#pin();
    const program = path.resolve(__dirname, "../../bin/containarium-ops");
    const where = ["--host", `admin@127.0.0.1:${this.#sshPort}`, "--known-hosts", "known_hosts", "--identity", "admin"];
    return succeed([process.execPath, program, ...args, ...where], {
      cwd: this.directory,
      timeoutMs: 900_000,
      // Emulated, on a host that is busy with other tests, a container's boot takes a minute.
      env: { CONTAINARIUM_SSH_TIMEOUT: "400" },
    });
  }

  /** `ssh alice-dev`, with the file that `export` wrote before: both hops are pinned in it. */
  ssh(command: string, as: Login = "alice"): Promise<Result> {
    return this.#overShared(this.sshCommand(as), command);
  }

  sshCommand(as: Login, ...rest: string[]): string[] {
    const [user] = as.split("-");
    const settings = ["BatchMode=yes", "ConnectTimeout=60", `ControlPath=${as}.sock`];
    return ["ssh", "-F", `${as}.conf`, ...settings.flatMap((setting) => ["-o", setting]), `${user}-dev`, ...rest];
  }

  /** With CONTAINARIUM_KEEP=1 the VM goes on running, to be looked at:  ssh -i DIRECTORY/admin -p PORT admin@127.0.0.1 */
  async close(): Promise<void> {
    this.metadata.close();
    if (process.env["CONTAINARIUM_KEEP"] === "1") {
      process.stderr.write(`kept: ${this.directory}, SSH on port ${this.#sshPort}\n`);
      return;
    }
    await this.#vm?.cutPower();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #pin(): void {
    this.firstHostKey ||= this.hostKey;
    writeFileSync(path.join(this.directory, "known_hosts"), `[127.0.0.1]:${this.#sshPort} ${this.firstHostKey}\n`);
  }

  #makeGoldenDisk(): void {
    const folder = path.join(this.directory, "golden");
    mkdirSync(folder);
    const [from, to] = [localImages().golden.rootfs, path.join(folder, "golden.tar.zst")];
    const unneeded = this.short ? [...comfort, ...dockerPrograms] : comfort;
    execFileSync("bash", [
      "-euo",
      "pipefail",
      "-c",
      without,
      "bash",
      from,
      to,
      ...unneeded.map((name) => `./usr/${name}`),
    ]);
    const disk = path.join(this.directory, "golden.ext4");
    execFileSync("mke2fs", ["-q", "-t", "ext4", "-L", "golden", "-d", folder, disk, "1G"]);
    rmSync(folder, { recursive: true });
  }
}

/** What no test uses: three quarters of the image, which takes an emulated server minutes to unpack. */
const comfort = [
  ...["share/vim", "share/man", "share/info", "share/bash-completion", "share/zoneinfo", "share/lintian"],
  ...["share/perl*", "lib/*/perl*", "lib/*/libperl*", "bin/perl*", "lib/python3*", "bin/python3*"],
  ...["lib/git-core", "bin/git*", "bin/vim*", "lib/*/gconv", "lib/*/libapt*", "bin/sqv"],
];
const dockerPrograms = ["sbin/docker*", "sbin/runc", "bin/docker", "bin/ctr", "bin/containerd*"];
const without = 'zstd -dc "$1" | tar --delete --wildcards -f - "${@:3}" | zstd -q -1 > "$2"';

/** A blank disk. */
export function makeDisk(file: string, bytes = 6 * gib): void {
  rmSync(file, { force: true });
  writeFileSync(file, "");
  truncateSync(file, bytes);
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
