import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import * as net from "node:net";
import * as path from "node:path";

import type { VmImage } from "../../scripts/vm/image";

export interface VmOptions {
  /** Where its sockets and logs go. */
  directory: string;
  image: VmImage;
  cores: number;
  /** Copy-on-write overlay of the image's disk. */
  bootDisk: string;
  /** Raw file; undefined: the disk is attached later, or never. */
  dataDisk?: string;
  /** Read-only disk with golden.tar.zst. */
  goldenDisk: string;
  /** Of this host, on 127.0.0.1. */
  sshPort: number;
  metadataPort: number;
}

const forward = path.join(__dirname, "forward.js");

/** Without guards against attacks by way of the processor, and without the boot's chatter on a serial line, for both are slow here. */
const quickly = "mitigations=off quiet systemd.show_status=error";

const dataNode = (filename: string) => ({
  driver: "raw",
  "node-name": "data",
  discard: "unmap",
  file: { driver: "file", filename, locking: "off" },
});
const dataDevice = { driver: "virtio-blk-pci", id: "data-disk", drive: "data", serial: "incus-data", bus: "data-slot" };

const seconds = new Map<ChildProcess, number>();

/** The processor time of every VM so far: on a host that is busy with other things, clocks tell little. */
export function processorSeconds(): number {
  for (const [child] of seconds) {
    const file = `/proc/${child.pid}/stat`;
    if (child.exitCode !== null || child.signalCode !== null || !existsSync(file)) continue;
    const [user, system] = readFileSync(file, "utf8")
      .replace(/^.*\) /, "")
      .split(" ")
      .slice(11, 13)
      .map(Number);
    seconds.set(child, ((user ?? 0) + (system ?? 0)) / 100);
  }
  return [...seconds.values()].reduce((sum, value) => sum + value, 0);
}

/**
 * A server as Compute Engine runs it: kernel, boot disk, data disk under the name that Google's images give it, an own
 * address in the fleet's subnet, the metadata server, and no way out. Emulated: it needs no rights and no hardware.
 */
export class Vm {
  readonly #qmpSocket: string;
  readonly #console: string;
  #process: ChildProcess | undefined;
  #read = 0;

  constructor(readonly options: VmOptions) {
    this.#qmpSocket = path.join(options.directory, "qmp.sock");
    this.#console = path.join(options.directory, "console.log");
  }

  start(): void {
    rmSync(this.#qmpSocket, { force: true });
    rmSync(this.#console, { force: true });
    this.#read = 0;
    const child = spawn("qemu-system-x86_64", this.#arguments(), { stdio: ["ignore", "inherit", "inherit"] });
    this.#process = child;
    seconds.set(child, 0);
    child.once("exit", () => (this.#process = undefined));
  }

  /** What a power cut and a preempted server have in common: not one more instruction. */
  async cutPower(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    processorSeconds();
    child.kill("SIGKILL");
    await gone;
  }

  /** The power button, as Compute Engine presses it. */
  async pressPowerButton(): Promise<void> {
    await this.qmp("system_powerdown");
  }

  /** Waits until the VM has switched itself off. Returns how long that took, in seconds. */
  async isOff(limitSeconds: number): Promise<number> {
    const begin = Date.now();
    await this.#until("the end of QEMU", limitSeconds, () => (this.#process === undefined ? true : undefined));
    return (Date.now() - begin) / 1000;
  }

  /** Attaches the data disk to the running VM. */
  async attachDataDisk(file: string): Promise<void> {
    await this.qmp("blockdev-add", dataNode(file));
    await this.qmp("device_add", dataDevice);
  }

  /** Takes the data disk away from the running VM; the kernel has to let go of it first. */
  async detachDataDisk(limitSeconds = 60): Promise<void> {
    const deadline = Date.now() + limitSeconds * 1000;
    await this.qmp("device_del", { id: "data-disk" });
    for (;;) {
      try {
        return await this.qmp("blockdev-del", { "node-name": "data" });
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  async growDataDisk(bytes: number): Promise<void> {
    await this.qmp("block_resize", { "node-name": "data", size: bytes });
  }

  /** What the VM said since the last call, up to the line that matches. */
  waitFor(pattern: RegExp, limitSeconds: number): Promise<string> {
    return this.#until(`${pattern} on the console`, limitSeconds, () => {
      const news = this.console().slice(this.#read);
      const match = pattern.exec(news);
      if (match === null) return undefined;
      const end = match.index + match[0].length;
      this.#read += end;
      return news.slice(0, end);
    });
  }

  /** Waits for the end of the startup script; returns its exit status and what was said until then. */
  async startupEnds(limitSeconds = 1500): Promise<{ status: number; said: string }> {
    const said = await this.waitFor(/startup-script: exit status \d+/, limitSeconds);
    return { status: Number(/(\d+)$/.exec(said)?.[1]), said };
  }

  console(): string {
    return existsSync(this.#console) ? readFileSync(this.#console, "latin1") : "";
  }

  /** One command of the QEMU machine protocol. */
  qmp(execute: string, args?: Record<string, unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.#qmpSocket);
      let answers = 0;
      let rest = "";
      // QEMU speaks to one client at a time: whoever does not hang up keeps the next one waiting.
      const fail = (error: Error) => {
        socket.destroy();
        reject(error);
      };
      socket.setTimeout(60_000, () => fail(new Error(`${execute}: no answer from QEMU`)));
      socket.on("error", fail);
      socket.on("data", (data) => {
        const lines = (rest + data.toString()).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const answer = JSON.parse(line) as { QMP?: unknown; return?: unknown; error?: { desc: string } };
          if (answer.QMP) socket.write(`${JSON.stringify({ execute: "qmp_capabilities" })}\n`);
          if (answer.error) return fail(new Error(`${execute}: ${answer.error.desc}`));
          if (answer.return === undefined) continue;
          answers += 1;
          if (answers === 1) socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
          else socket.end(resolve);
        }
      });
    });
  }

  #arguments(): string[] {
    const { image, cores, bootDisk, dataDisk, goldenDisk, sshPort, metadataPort } = this.options;
    const device = (name: string, ...settings: string[]) => ["-device", [name, ...settings].join(",")];
    return [
      ...["-nodefaults", "-display", "none", "-machine", "q35,accel=tcg,sata=off", "-cpu", "qemu64,-svm"],
      ...["-smp", String(cores), "-m", "3072"],
      ...["-kernel", image.kernel, "-initrd", image.initrd],
      ...["-append", `root=LABEL=boot-disk console=ttyS0 panic=-1 ${quickly}`],
      ...["-serial", `file:${this.#console}`, "-qmp", `unix:${this.#qmpSocket},server=on,wait=off`],
      ...device("virtio-rng-pci"),
      ...["-drive", `if=none,id=boot,format=qcow2,file=${bootDisk}`],
      ...device("virtio-blk-pci", "drive=boot", "serial=persistent-disk-0"),
      ...["-drive", `if=none,id=golden,format=raw,readonly=on,file=${goldenDisk}`],
      ...device("virtio-blk-pci", "drive=golden", "serial=golden"),
      ...device("pcie-root-port", "id=data-slot", "chassis=1"),
      ...(dataDisk === undefined
        ? []
        : [
            // As `attachDataDisk` does it, so that this one can be taken away, too.
            ...["-blockdev", JSON.stringify(dataNode(dataDisk))],
            ...["-device", JSON.stringify(dataDevice)],
          ]),
      ...["-netdev", `user,id=vpc,restrict=on,net=10.64.0.0/24,host=10.64.0.1,dns=10.64.0.3,dhcpstart=10.64.0.100,hostfwd=tcp:127.0.0.1:${sshPort}-10.64.0.11:22`], // prettier-ignore
      ...device("virtio-net-pci", "netdev=vpc", "mac=52:54:00:00:00:01"),
      ...["-netdev", `user,id=metadata,restrict=on,net=169.254.169.0/24,host=169.254.169.1,dns=169.254.169.3,dhcpstart=169.254.169.100,guestfwd=tcp:169.254.169.254:80-cmd:${process.execPath} ${forward} ${metadataPort}`], // prettier-ignore
      ...device("virtio-net-pci", "netdev=metadata", "mac=52:54:00:00:00:02"),
    ];
  }

  async #until<T>(what: string, limitSeconds: number, look: () => T | undefined): Promise<T> {
    const deadline = Date.now() + limitSeconds * 1000;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const ended = this.#process === undefined ? "QEMU ended" : undefined;
      if (ended !== undefined || Date.now() > deadline) {
        const tail = this.console().slice(-3000);
        throw new Error(`${ended ?? `after ${limitSeconds} s`}: still waiting for ${what}\n${tail}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
