import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { formatAddress, parseCidr } from "../../../../components/cidr";
import { localNames } from "../../../../components/local/address-plan";
import { attachDataDisk, detachDataDisk } from "../../../../components/local/data-disk";
import { runOnHost } from "../../../../components/local/host-command";
import { incus, queryIncus } from "../../../../components/local/host-incus";
import { localHostProvider, removeLocalHost } from "../../../../components/local/host-provider";
import { ownerKey } from "../../../../components/local/owner";

export interface MachinesOptions {
  /** Begins the names of everything that is made on this host: two runs with two prefixes do not meet. */
  prefix: string;
  /** Range of the fleet's subnetwork, a /24 that nothing else on this host uses: `10.64.0.0/24`. */
  subnet: string;
}

/** What this host gives to a pretended Google: one bridge, one pool, a folder for disks and shared files. */
export class MachineHost {
  readonly owner: string;
  readonly network: string;
  readonly pool: string;
  /** Known by the prefix alone, so that the leftovers of a killed run are found. */
  readonly folder: string;

  constructor(readonly options: MachinesOptions) {
    this.owner = `google-stand-in:${options.prefix}`;
    ({ network: this.network, pool: this.pool } = localNames(options.prefix));
    this.folder = path.join(os.tmpdir(), `containarium-google-${options.prefix}`);
  }

  /**
   * Takes the prefix for this process, and removes what a killed run has left under it.
   * @throws Error when another run is under way
   */
  async claim(): Promise<void> {
    const file = `${this.folder}.pid`;
    const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
    if (pid > 0 && pid !== process.pid && existsSync(`/proc/${pid}`)) throw new Error(`process ${pid} has machines under the name ${this.options.prefix}`); // prettier-ignore
    writeFileSync(file, String(process.pid));
    await this.removeEverything();
  }

  /** Removes everything, and lets go of the prefix. */
  async release(): Promise<void> {
    await this.removeEverything();
    rmSync(`${this.folder}.pid`, { force: true });
  }

  instance(name: string): string {
    return `${this.options.prefix}-${name}`;
  }

  /** Shared with the machine of that name. */
  shared(name: string): string {
    return path.join(this.folder, "shared", name);
  }

  /** External addresses are the upper part of the same subnet: .101 and on. */
  externalRange(): { base: number; size: number } {
    return { base: this.base() + 99, size: 104 };
  }

  async makeSubnetwork(range: string): Promise<void> {
    if (range !== this.options.subnet) throw new Error(`this host was told of the subnet ${this.options.subnet}, not of ${range}`); // prettier-ignore
    await localHostProvider.create({ ...this.hostInputs() });
  }

  async removeSubnetwork(): Promise<void> {
    await removeLocalHost(this.hostInputs());
  }

  /** A sparse file on a loop device; grows in place. @returns the device */
  async attach(disk: string, sizeGb: number): Promise<string> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    return (await attachDataDisk(this.diskFile(disk), sizeGb)).device;
  }

  /** A new one is blank. */
  async makeDisk(disk: string, sizeGb: number): Promise<void> {
    const file = this.diskFile(disk);
    if (existsSync(file)) throw new Error(`${file} is there already: left by another run; see removeEverything`);
    await this.attach(disk, sizeGb);
  }

  async removeDisk(disk: string): Promise<void> {
    await detachDataDisk(this.diskFile(disk));
    rmSync(this.diskFile(disk), { force: true });
  }

  /**
   * Removes whatever is there under this prefix, retained disks included, also what a killed run has left. Touches
   * nothing of another owner.
   */
  async removeEverything(): Promise<void> {
    const all = await queryIncus<{ name: string; config: Record<string, string> }[]>("/1.0/instances?recursion=1");
    const ours = (all ?? []).filter(({ config }) => config[ownerKey] === this.owner).map(({ name }) => name);
    for (const instance of ours) await incus("delete", "--force", instance);
    const disks = path.join(this.folder, "disks");
    for (const file of existsSync(disks) ? readdirSync(disks) : []) await detachDataDisk(path.join(disks, file));
    // What the machines wrote there belongs to their root.
    await runOnHost(["rm", "-rf", this.folder]);
    await this.removeSubnetwork();
  }

  private hostInputs() {
    const bridgeAddress = `${formatAddress(this.base() + 1)}/24`;
    return { owner: this.owner, network: this.network, pool: this.pool, bridgeAddress };
  }

  private base(): number {
    const range = parseCidr(this.options.subnet);
    if (range?.prefix !== 24) throw new Error(`${this.options.subnet} is no /24`);
    return range.base;
  }

  private diskFile(disk: string): string {
    return path.join(this.folder, "disks", `${disk}.img`);
  }
}

/** UUID of the file system on a disk: the same for the same disk. */
export function fileSystemId(disk: string): string {
  const hex = createHash("sha256").update(disk).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-"); // prettier-ignore
}
