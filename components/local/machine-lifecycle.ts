import * as net from "node:net";
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";

import { ConflictError, OperationError, TimeoutError } from "../../ops/errors";
import { startupFiles, type StartupFile } from "../startup-files";
import { attachDataDisk, type DataDisk, detachDataDisk } from "./data-disk";
import { incus, pushFile } from "./host-incus";
import { ensureImages } from "./images";
import { findInstance, type HostInstance, removeInstanceOf } from "./instance";
import { ensureMachineImage, machineImageAlias } from "./machine-image";
import { ownerKey, refuseForeign } from "./owner";

/** What a local machine is; see LocalMachineArgs for units. */
export interface MachineSpec {
  server: string;
  instance: string;
  owner: string;
  network: string;
  pool: string;
  image: string;
  address: string;
  dataDisk: string;
  dataDiskSizeGb: number;
  adminUser: string;
  adminSshKeys: string[];
  containerSubnet: string;
  /** The network of the fleet's servers: each finds the others by it, see startup/containarium-host. */
  fleetSubnet: string;
  /** Addresses that fail2ban leaves alone: everybody on this host comes from its end of the bridge. */
  neverBan: string[];
  goldenImage: string;
  goldenVersion: string;
  startupHash: string;
}

/** What a machine is known by; it keeps both for life. */
export interface MachineIdentity {
  hostKeys: string[];
  diskId: string;
}

const libraryDirectory = "/usr/local/lib/containarium";
const dataDiskPath = "/dev/disk/by-id/google-incus-data";
const imagesDirectory = "/var/lib/containarium-images";
const sshAnswersMs = 30_000;

/**
 * Makes the machine what it should be, from whatever it is: disk attached, instance there and running, startup files
 * current and run. Every part may be there already; a killed run is completed by the next.
 */
export async function convergeMachine(
  spec: MachineSpec,
  projectDirectory: string,
  known?: MachineIdentity,
): Promise<MachineIdentity> {
  const { golden } = await ensureImages();
  const file = path.resolve(projectDirectory, spec.dataDisk);
  const disk = await attachDataDisk(file, spec.dataDiskSizeGb, known?.diskId);
  await ensureInstance(spec, devicesOf(spec, disk.device, path.dirname(golden.rootfs)));
  await runStartup(spec, disk);
  await waitForSsh(spec);
  const key = await incus("file", "pull", `${spec.instance}/etc/ssh/ssh_host_ed25519_key.pub`, "-");
  const hostKeys = [key.trim().split(" ").slice(0, 2).join(" ")];
  if (known !== undefined && !isDeepStrictEqual(hostKeys, known.hostKeys)) {
    throw new ConflictError(`${spec.server} came up with another host key than the one that everybody has pinned`, {
      server: spec.server,
      remedy: `Look at its data disk before anything else:  incus exec ${spec.instance} -- ls -l /srv/containarium/ssh`,
    });
  }
  return { hostKeys, diskId: disk.id };
}

export async function isMachineRunning(spec: Pick<MachineSpec, "instance">): Promise<boolean> {
  return (await findInstance(spec.instance))?.status === "Running";
}

/** Removes the machine and detaches its disk. The disk's file stays: it is people's data. */
export async function removeMachine(
  spec: Pick<MachineSpec, "instance" | "owner" | "dataDisk">,
  projectDirectory: string,
): Promise<void> {
  // An orderly stop unmounts the data disk.
  await removeInstanceOf(spec.instance, spec.owner);
  await detachDataDisk(path.resolve(projectDirectory, spec.dataDisk));
}

function devicesOf(spec: MachineSpec, loop: string, images: string): HostInstance["devices"] {
  return {
    root: { type: "disk", path: "/", pool: spec.pool },
    eth0: { type: "nic", network: spec.network, name: "eth0", "ipv4.address": spec.address },
    // Must be there before the first start: Incus cannot add a block device with a path to a running machine.
    data: { type: "unix-block", source: loop, path: dataDiskPath },
    images: { type: "disk", source: images, path: imagesDirectory, readonly: "true", required: "false" },
  };
}

async function ensureInstance(spec: MachineSpec, devices: HostInstance["devices"]): Promise<void> {
  const found = await findInstance(spec.instance);
  if (found === undefined) {
    await ensureMachineImage(spec.image);
    const body = {
      name: spec.instance,
      source: { type: "image", alias: machineImageAlias(spec.image) },
      profiles: [],
      // Privileged: it mounts its own disk and runs Incus, as a server does. The people's containers inside are not.
      config: {
        "security.privileged": "true",
        "security.nesting": "true",
        // After a reboot of the host loop devices are dealt anew: a machine that started by itself could get another
        // one's disk. `npm run quickstart` and `pulumi up` attach the right one first.
        "boot.autostart": "false",
        [ownerKey]: spec.owner,
      },
      devices,
    };
    await incus("query", "--request", "POST", "--wait", "--data", JSON.stringify(body), "/1.0/instances");
  } else {
    refuseForeign(`the instance ${spec.instance}`, found, spec.owner);
    await convergeDevices(spec.instance, found, devices);
  }
  if (found?.status !== "Running") await incus("start", spec.instance);
}

/** After a reboot of the host the disk has another loop device; that can only be changed while the machine is down. */
async function convergeDevices(instance: string, found: HostInstance, devices: HostInstance["devices"]): Promise<void> {
  for (const [name, wanted] of Object.entries(devices)) {
    const changed = Object.entries(wanted).filter(([key, value]) => found.devices[name]?.[key] !== value);
    if (changed.length === 0) continue;
    if (found.status === "Running" && name === "data") await incus("stop", instance, "--timeout", "60");
    await incus("config", "device", "set", instance, name, ...changed.map(([key, value]) => `${key}=${value}`));
  }
  Object.assign(found, await findInstance(instance));
}

async function runStartup(spec: MachineSpec, disk: DataDisk): Promise<void> {
  const files = startupFiles();
  await pushStartupFiles(spec.instance, files);
  await pushServerJson(spec, { id: disk.id, mayFormat: disk.blank });
  const unit = files.find(({ name }) => name === "containarium-startup.service");
  if (unit) await pushFile(spec.instance, `/etc/systemd/system/${unit.name}`, unit.content, "0644");
  await incus("exec", spec.instance, "--", "systemctl", "daemon-reload");
  await incus("exec", spec.instance, "--", "systemctl", "enable", "-q", "containarium-startup.service");
  await incus("exec", spec.instance, "--", `${libraryDirectory}/bootstrap.sh`).catch((error: Error) => {
    throw new OperationError(`the startup of ${spec.server} failed: ${lastLine(error.message)}`, {
      server: spec.server,
      cause: error,
      leftBehind: `the machine ${spec.instance}; the next  pulumi up  goes on from there`,
      remedy: `${error.message}\nAll of it:  incus exec ${spec.instance} -- ${libraryDirectory}/bootstrap.sh`,
    });
  });
  // From its first start on, a blank disk is a wrong disk.
  if (disk.blank) await pushServerJson(spec, { id: disk.id, mayFormat: false });
}

async function pushStartupFiles(instance: string, files: StartupFile[]): Promise<void> {
  for (const file of files) {
    await pushFile(instance, `${libraryDirectory}/${file.name}`, file.content, file.executable ? "0755" : "0644");
  }
}

/** What a server is told about itself; read by startup/bootstrap.sh. */
async function pushServerJson(spec: MachineSpec, disk: { id: string; mayFormat: boolean }): Promise<void> {
  const values = {
    schema: 1,
    name: spec.server,
    admin: { user: spec.adminUser, authorizedKeys: spec.adminSshKeys },
    dataDisk: dataDiskPath,
    dataDiskId: disk.id,
    mayFormat: disk.mayFormat,
    storage: "btrfs",
    containerSubnet: spec.containerSubnet,
    fleetSubnet: spec.fleetSubnet,
    // No VPC has the ways to the other servers' containers: each server sets them itself.
    routePeers: true,
    neverBan: spec.neverBan,
    image: spec.goldenImage,
    imageVersion: spec.goldenVersion,
    imageSource: `file:${imagesDirectory}/golden.tar.zst`,
    startupHash: spec.startupHash,
  };
  await pushFile(spec.instance, "/etc/containarium/server.json", JSON.stringify(values), "0644");
}

async function waitForSsh({ address, server }: MachineSpec): Promise<void> {
  const deadline = Date.now() + sshAnswersMs;
  while (!(await sshAnswers(address))) {
    if (Date.now() > deadline) {
      throw new TimeoutError(`${server} runs, but its SSH at ${address} does not answer`, {
        server,
        remedy: "Does a firewall of this host block the bridge?  nft list ruleset",
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function sshAnswers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: address, port: 22, timeout: 2_000 });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (data) => settle(data.toString("latin1").startsWith("SSH-")));
    socket.once("timeout", () => settle(false));
    socket.once("error", () => settle(false));
    socket.once("close", () => settle(false));
  });
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? text;
}
