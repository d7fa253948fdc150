import { isDeepStrictEqual } from "node:util";

import type { dynamic } from "@pulumi/pulumi";

import { incus, queryIncus } from "./host-incus";
import { removeMachineImages } from "./machine-image";
import { ownerKey, refuseForeign } from "./owner";
import { hasRealSources, removeRealSources, setRealSources } from "./real-sources";

export interface HostInputs {
  owner: string;
  network: string;
  bridgeAddress: string;
  pool: string;
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
    return (await isMade(props)) ? { id, props } : {};
  },

  async update(_id: string, _olds: HostInputs, news: HostInputs): Promise<dynamic.UpdateResult<HostInputs>> {
    await converge(news);
    return { outs: news };
  },

  async delete(_id: string, props: HostInputs): Promise<void> {
    await removeLocalHost(props);
  },
};

/** Removes the bridge and the pool, as far as they are there and ours; the images with the host's last fleet. */
export async function removeLocalHost(props: Pick<HostInputs, "network" | "pool" | "owner">): Promise<void> {
  const network = await queryIncus<{ config: Record<string, string> }>(`/1.0/networks/${props.network}`);
  if (network?.config[ownerKey] === props.owner) {
    await removeRealSources(props.network);
    await incus("network", "delete", props.network);
  }
  const pool = await queryIncus<{ config: Record<string, string> }>(`/1.0/storage-pools/${props.pool}`);
  if (pool?.config[ownerKey] === props.owner) {
    await removeMachineImages(props.pool, await isLastFleet(props.pool));
    await incus("storage", "delete", props.pool);
  }
}

async function isLastFleet(pool: string): Promise<boolean> {
  const pools = await queryIncus<{ name: string; config: Record<string, string> }[]>("/1.0/storage-pools?recursion=1");
  return (pools ?? []).every(({ name, config }) => name === pool || config[ownerKey] === undefined);
}

async function isThere(inputs: HostInputs): Promise<boolean> {
  return (await isMade(inputs)) && (await hasRealSources(inputs));
}

/** The part of it that the host keeps over a reboot. */
async function isMade({ network, pool }: HostInputs): Promise<boolean> {
  const paths = [`/1.0/networks/${network}`, `/1.0/storage-pools/${pool}`];
  return (await Promise.all(paths.map((at) => queryIncus(at)))).every((found) => found !== undefined);
}

async function converge(inputs: HostInputs): Promise<void> {
  await ensureNetwork(inputs);
  await setRealSources(inputs);
  await ensurePool(inputs);
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

function pick({ owner, network, bridgeAddress, pool }: HostInputs): HostInputs {
  return { owner, network, bridgeAddress, pool };
}
