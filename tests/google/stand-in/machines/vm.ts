import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { incus, pushFile } from "../../../../components/local/host-incus";
import { ensureImages } from "../../../../components/local/images";
import { findInstance, removeInstanceOf } from "../../../../components/local/instance";
import { ensureMachineImage, machineImageAlias } from "../../../../components/local/machine-image";
import { ownerKey } from "../../../../components/local/owner";
import { dataDiskDevice } from "../../../../components/startup-script";
import type { Thing } from "../project";
import { valuesAt } from "../properties";
import type { MachineHost } from "./host";
import { imagesDirectory, servedMetadata } from "./served";

/** A VM of the pretended project as a privileged, nesting system container; see components/local/machine-lifecycle.ts. */

const library = "/usr/local/lib/google-stand-in";
const sharedPath = "/var/lib/google-stand-in";
const guestFiles: Record<string, [path: string, mode: string]> = {
  "metadata-server.py": [`${library}/metadata-server.py`, "0755"],
  "network.sh": [`${library}/network.sh`, "0755"],
  google_metadata_script_runner: ["/usr/bin/google_metadata_script_runner", "0755"],
  "google-stand-in.service": ["/etc/systemd/system/google-stand-in.service", "0644"],
  "google-startup-scripts.service": ["/etc/systemd/system/google-startup-scripts.service", "0644"],
};

/** Made and started; it boots by itself from here on, as a VM does. @param loop device of its data disk */
export async function makeVm(host: MachineHost, vm: Thing, loop: string | undefined, network: string[]): Promise<void> {
  const { golden, machine } = await ensureImages();
  await ensureMachineImage(machine.version);
  const name = String(vm.inputs.name);
  shareMetadata(host, vm);
  shareNetwork(host, name, network);
  const body = {
    name: host.instance(name),
    source: { type: "image", alias: machineImageAlias(machine.version) },
    profiles: [],
    config: { "security.privileged": "true", "security.nesting": "true", "boot.autostart": "false", [ownerKey]: host.owner }, // prettier-ignore
    devices: {
      root: { type: "disk", path: "/", pool: host.pool },
      eth0: { type: "nic", network: host.network, name: "eth0", "ipv4.address": internalAddress(vm) },
      images: { type: "disk", source: path.dirname(golden.rootfs), path: imagesDirectory, readonly: "true" },
      google: { type: "disk", source: host.shared(name), path: sharedPath },
      // Before the first start: Incus cannot add a block device with a path to a running machine.
      ...(loop === undefined ? {} : { data: { type: "unix-block", source: loop, path: dataDiskDevice } }),
    },
  };
  await incus("query", "--request", "POST", "--wait", "--data", JSON.stringify(body), "/1.0/instances");
  try {
    await installGuest(host.instance(name));
    await startVm(host, name);
  } catch (error) {
    await removeVm(host, name);
    throw error;
  }
}

/** What Google's images bring along. */
async function installGuest(instance: string): Promise<void> {
  for (const [file, [at, mode]] of Object.entries(guestFiles)) {
    await pushFile(instance, at, readFileSync(path.join(__dirname, "guest", file), "utf8"), mode);
    if (file.endsWith(".service")) await enableUnit(instance, file);
  }
}

/** As `systemctl enable` would, in a machine that was never started. */
async function enableUnit(instance: string, unit: string): Promise<void> {
  const folder = "/etc/systemd/system";
  const wanted = `${instance}${folder}/multi-user.target.wants/${unit}`;
  await incus("file", "create", "--type=symlink", "-p", wanted, `${folder}/${unit}`);
}

export async function startVm(host: MachineHost, name: string): Promise<void> {
  await incus("start", host.instance(name));
}

/** As a preemption does: half a minute to shut down, then the power is cut. */
export async function stopVm(host: MachineHost, name: string): Promise<void> {
  const instance = host.instance(name);
  await incus("stop", instance, "--timeout", "30").catch(() => incus("stop", "--force", instance));
}

export async function removeVm(host: MachineHost, name: string): Promise<void> {
  await removeInstanceOf(host.instance(name), host.owner);
  rmSync(host.shared(name), { recursive: true, force: true });
}

export async function isRunning(host: MachineHost, name: string): Promise<boolean> {
  return (await findInstance(host.instance(name)))?.status === "Running";
}

/** While it is down. */
export async function setDataDisk(host: MachineHost, name: string, loop: string): Promise<void> {
  await incus("config", "device", "set", host.instance(name), "data", `source=${loop}`);
}

export function shareMetadata(host: MachineHost, vm: Thing): void {
  share(host, String(vm.inputs.name), "attributes.json", JSON.stringify(servedMetadata(vm)));
}

/** Lines of guest/network.sh. */
export function shareNetwork(host: MachineHost, name: string, lines: string[]): void {
  share(host, name, "network", lines.map((line) => `${line}\n`).join(""));
}

export async function applyNetwork(host: MachineHost, name: string): Promise<void> {
  if (await isRunning(host, name)) await incus("exec", host.instance(name), "--", "bash", "-c", applyWhenUp);
}

/** A machine that has not booted so far will read the newest lines; one that is reading them now is waited for. */
const applyWhenUp =
  'while state=$(systemctl is-active google-stand-in.service 2>/dev/null); [ "$state" = activating ]; do sleep 0.2; done; ' +
  `[ "$state" != active ] || exec ${library}/network.sh`;

export function guestAttributesOf(host: MachineHost, name: string): Record<string, string> {
  const file = path.join(host.shared(name), "guest.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>) : {};
}

/** A stopped VM's attributes are gone. */
export function forgetGuestAttributes(host: MachineHost, name: string): void {
  rmSync(path.join(host.shared(name), "guest.json"), { force: true });
}

export function internalAddress(vm: Thing): string {
  return String(valuesAt(vm.inputs, "networkInterfaces[].networkIp")[0]);
}

function share(host: MachineHost, name: string, file: string, text: string): void {
  const target = path.join(host.shared(name), file);
  mkdirSync(path.dirname(target), { recursive: true, mode: 0o755 });
  writeFileSync(`${target}.new`, text);
  renameSync(`${target}.new`, target);
}
