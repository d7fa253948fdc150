import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { isDeepStrictEqual } from "node:util";

import type { dynamic } from "@pulumi/pulumi";

import { runOnHost } from "./host-command";
import { incus, queryIncus } from "./host-incus";
import { ensureImages } from "./images";
import { ownerKey, refuseForeign } from "./owner";

export interface HostInputs {
  owner: string;
  network: string;
  bridgeAddress: string;
  pool: string;
  image: string;
}

export const localHostProvider = {
  async check(_olds: unknown, news: HostInputs): Promise<dynamic.CheckResult<HostInputs>> {
    return { inputs: news, failures: [] };
  },

  /** Looks at the host: after a reboot or somebody's clean-up an unchanged program still has work here. */
  async diff(_id: string, olds: HostInputs, news: HostInputs): Promise<dynamic.DiffResult> {
    const replaces = (["network", "pool"] as const).filter((key) => olds[key] !== news[key]);
    const changes = !isDeepStrictEqual(pick(olds), pick(news)) || !(await isThere(news));
    return { changes, replaces: [...replaces], deleteBeforeReplace: true };
  },

  async create(inputs: HostInputs): Promise<dynamic.CreateResult<HostInputs>> {
    await converge(inputs);
    return { id: inputs.network, outs: inputs };
  },

  async read(id: string, props: HostInputs): Promise<dynamic.ReadResult<HostInputs>> {
    return (await isThere(props)) ? { id, props } : {};
  },

  async update(_id: string, _olds: HostInputs, news: HostInputs): Promise<dynamic.UpdateResult<HostInputs>> {
    await converge(news);
    return { outs: news };
  },

  async delete(_id: string, props: HostInputs): Promise<void> {
    await removeLocalHost(props);
  },
};

/** Name of the machine image of one version in this host's Incus. */
export function machineImageAlias(version: string): string {
  return `containarium/machine/${version}`;
}

/** Removes the bridge, the pool and the images, as far as they are there and ours. */
export async function removeLocalHost(props: Pick<HostInputs, "network" | "pool" | "owner">): Promise<void> {
  const network = await queryIncus<{ config: Record<string, string> }>(`/1.0/networks/${props.network}`);
  if (network?.config[ownerKey] === props.owner) await incus("network", "delete", props.network);
  const pool = await queryIncus<{ config: Record<string, string> }>(`/1.0/storage-pools/${props.pool}`);
  if (pool?.config[ownerKey] === props.owner) {
    // The pool cannot go while images keep a copy in it; other fleets' pools make their own again.
    for (const image of (await queryIncus<MachineImage[]>("/1.0/images?recursion=1")) ?? []) {
      if (image.aliases.some(({ name }) => name.startsWith("containarium/machine/"))) {
        await incus("image", "delete", image.fingerprint);
      }
    }
    await incus("storage", "delete", props.pool);
  }
}

interface MachineImage {
  fingerprint: string;
  aliases: { name: string }[];
}

async function isThere({ network, pool, image }: HostInputs): Promise<boolean> {
  const paths = [`/1.0/networks/${network}`, `/1.0/storage-pools/${pool}`, imagePath(image)];
  return (await Promise.all(paths.map((at) => queryIncus(at)))).every((found) => found !== undefined);
}

async function converge(inputs: HostInputs): Promise<void> {
  await ensureNetwork(inputs);
  await ensurePool(inputs);
  await ensureMachineImage(inputs.image);
}

async function ensureNetwork({ network, bridgeAddress, owner }: HostInputs): Promise<void> {
  const found = await queryIncus<{ config: Record<string, string> }>(`/1.0/networks/${network}`);
  refuseForeign(`the network ${network}`, found, owner);
  if (found === undefined) {
    await incus("network", "create", network, "--type=bridge", "ipv6.address=none", `ipv4.address=${bridgeAddress}`,
      "ipv4.nat=true", `${ownerKey}=${owner}`); // prettier-ignore
  } else if (found.config["ipv4.address"] !== bridgeAddress) {
    await incus("network", "set", network, `ipv4.address=${bridgeAddress}`);
  }
}

async function ensurePool({ pool, owner }: HostInputs): Promise<void> {
  const found = await queryIncus<{ config: Record<string, string> }>(`/1.0/storage-pools/${pool}`);
  refuseForeign(`the storage pool ${pool}`, found, owner);
  // Boot disks only: people's data is on the data disks. The file is sparse.
  if (found === undefined) await incus("storage", "create", pool, "btrfs", "size=30GiB", `${ownerKey}=${owner}`);
}

async function ensureMachineImage(version: string): Promise<void> {
  if ((await queryIncus(imagePath(version))) !== undefined) return;
  const { machine } = await ensureImages();
  const work = mkdtempSync(path.join(os.tmpdir(), "containarium-image-"));
  try {
    writeImageMetadata(work);
    await runOnHost(["tar", "-C", work, "-cf", path.join(work, "metadata.tar"), "metadata.yaml", "templates"]);
    await incus(
      "image",
      "import",
      path.join(work, "metadata.tar"),
      machine.rootfs,
      "--alias",
      machineImageAlias(version),
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Incus writes a new machine's name into these files when it makes it. */
function writeImageMetadata(directory: string): void {
  const when = "{when: [create, copy, rename], template: NAME.tpl}";
  writeFileSync(
    path.join(directory, "metadata.yaml"),
    [
      `architecture: ${os.machine()}`,
      `creation_date: ${Math.floor(Date.now() / 1000)}`,
      "properties: {description: containarium machine}",
      "templates:",
      `  /etc/hostname: ${when.replace("NAME", "hostname")}`,
      `  /etc/hosts: ${when.replace("NAME", "hosts")}`,
      "",
    ].join("\n"),
  );
  const templates = path.join(directory, "templates");
  mkdirSync(templates);
  writeFileSync(path.join(templates, "hostname.tpl"), "{{ container.name }}\n");
  writeFileSync(path.join(templates, "hosts.tpl"), "127.0.0.1 localhost\n127.0.1.1 {{ container.name }}\n");
}

function imagePath(version: string): string {
  return `/1.0/images/aliases/${encodeURIComponent(machineImageAlias(version))}`;
}

function pick({ owner, network, bridgeAddress, pool, image }: HostInputs): HostInputs {
  return { owner, network, bridgeAddress, pool, image };
}
