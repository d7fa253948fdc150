import type { dynamic } from "@pulumi/pulumi";

import { InvalidInputError, TimeoutError } from "../../ops/errors";
import { incus, pushFile } from "./host-incus";
import { ensureRunning, findInstance, removeInstanceOf, tcpAnswers } from "./instance";
import { ensureMachineImage, machineImageAlias } from "./machine-image";
import { ownerKey, refuseForeign } from "./owner";

/** The system container that balances. */
export interface BalancerSpec {
  instance: string;
  owner: string;
  network: string;
  pool: string;
  /** Version of the machine image. A newer one alone is no reason to touch a living balancer. */
  image: string;
  address: string;
  /** haproxy's configuration. */
  config: string;
}

const configPath = "/etc/haproxy/haproxy.cfg";
const answersMs = 30_000;

export const localBalancerProvider = {
  async check(_olds: unknown, news: BalancerSpec): Promise<dynamic.CheckResult<BalancerSpec>> {
    return { inputs: news, failures: [] };
  },

  /** Looks at the host: a balancer that was thrown away or stopped is brought back by an unchanged program. */
  async diff(_id: string, olds: BalancerSpec, news: BalancerSpec): Promise<dynamic.DiffResult> {
    refuseRenaming(olds, news);
    const compared = ["owner", "network", "pool", "address", "config"] as const;
    const changed = compared.some((field) => olds[field] !== news[field]);
    const running = (await findInstance(news.instance))?.status === "Running";
    return { changes: changed || !running, replaces: [] };
  },

  async create(inputs: BalancerSpec): Promise<dynamic.CreateResult<BalancerSpec>> {
    await converge(inputs);
    return { id: inputs.instance, outs: inputs };
  },

  async read(id: string, props: BalancerSpec): Promise<dynamic.ReadResult<BalancerSpec>> {
    const found = await findInstance(props.instance);
    return found === undefined ? {} : { id, props };
  },

  async update(_id: string, _olds: BalancerSpec, news: BalancerSpec): Promise<dynamic.UpdateResult<BalancerSpec>> {
    await converge(news);
    return { outs: news };
  },

  async delete(_id: string, props: BalancerSpec): Promise<void> {
    await removeInstanceOf(props.instance, props.owner);
  },
};

/** Brings it up from whatever it is. Sessions stay: haproxy takes a new configuration without dropping anybody. */
async function converge(spec: BalancerSpec): Promise<void> {
  await ensureInstance(spec);
  await pushFile(spec.instance, configPath, spec.config, "0644");
  await incus("exec", spec.instance, "--", "haproxy", "-c", "-f", configPath);
  await incus("exec", spec.instance, "--", "systemctl", "enable", "-q", "haproxy.service");
  await incus("exec", spec.instance, "--", "systemctl", "reload-or-restart", "haproxy.service");
  await waitUntilItListens(spec);
}

async function ensureInstance(spec: BalancerSpec): Promise<void> {
  const { instance, owner, address, network, pool } = spec;
  const devices = {
    root: { type: "disk", path: "/", pool },
    eth0: { type: "nic", network, name: "eth0", "ipv4.address": address },
  };
  const found = await findInstance(instance);
  if (found === undefined) {
    await ensureMachineImage(spec.image);
    const body = {
      name: instance,
      source: { type: "image", alias: machineImageAlias(spec.image) },
      profiles: [],
      // After a reboot of the host it comes with the servers, when quickstart or `pulumi up` brings them back.
      config: { "boot.autostart": "false", [ownerKey]: owner },
      devices,
    };
    await incus("query", "--request", "POST", "--wait", "--data", JSON.stringify(body), "/1.0/instances");
  } else {
    refuseForeign(`the instance ${instance}`, found, owner);
    if (found.devices["eth0"]?.["ipv4.address"] !== address) {
      if (found.status === "Running") await incus("stop", "--force", instance);
      await incus("config", "device", "set", instance, "eth0", `ipv4.address=${address}`);
    }
  }
  await ensureRunning(instance);
}

async function waitUntilItListens({ address, instance }: BalancerSpec): Promise<void> {
  const deadline = Date.now() + answersMs;
  while (!(await tcpAnswers(address, 22))) {
    if (Date.now() > deadline) {
      throw new TimeoutError(`the balancer ${instance} runs, but nothing answers at ${address}`, {
        remedy: `incus exec ${instance} -- journalctl -u haproxy -n 20`,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function refuseRenaming(olds: BalancerSpec, news: BalancerSpec): void {
  if (olds.instance === news.instance) return;
  throw new InvalidInputError(`the balancer is ${olds.instance}, it cannot become ${news.instance}`, {
    remedy: "Give the stack its old name back:  npm run pulumi -- stack rename OLD-NAME",
  });
}
