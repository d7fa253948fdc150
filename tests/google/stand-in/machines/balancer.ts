import { incus, pushFile, queryIncus } from "../../../../components/local/host-incus";
import { ensureImages } from "../../../../components/local/images";
import { ensureMachineImage, machineImageAlias } from "../../../../components/local/machine-image";
import { ownerKey, refuseForeign } from "../../../../components/local/owner";
import { types } from "../kinds";
import type { PretendedProject, Thing } from "../project";
import { valuesAt } from "../properties";
import { pointsAt } from "../references";
import type { MachineHost } from "./host";
import { enableUnit, internalAddress } from "./vm";

const configFile = "/etc/haproxy/haproxy.cfg";

/**
 * A forwarding rule as a small system container with haproxy. Unlike Google's passthrough it hides where people come
 * from; like it, it asks the health check's port and sends people to any server when none is healthy.
 */
export async function convergeBalancer(host: MachineHost, project: PretendedProject, rule: Thing): Promise<void> {
  const instance = host.instance(String(rule.inputs.name));
  const found = await queryIncus<{ status: string; config: Record<string, string> }>(`/1.0/instances/${instance}`);
  refuseForeign(`the instance ${instance}`, found, host.owner);
  if (found === undefined) await make(host, instance, String(rule.inputs.ipAddress));
  await pushFile(instance, configFile, renderConfig(rule, project), "0644");
  if (found === undefined) await incus("start", instance);
  await incus("exec", instance, "--", "bash", "-c", reload);
}

/** Right after the start there is no systemd to speak to. */
const reload = `haproxy -c -q -f ${configFile} && for attempt in $(seq 100); do systemctl reload-or-restart haproxy.service && exit 0; sleep 0.2; done; exit 1`;

export async function removeBalancer(host: MachineHost, rule: Thing): Promise<void> {
  const instance = host.instance(String(rule.inputs.name));
  const found = await queryIncus<{ config: Record<string, string> }>(`/1.0/instances/${instance}`);
  refuseForeign(`the instance ${instance}`, found, host.owner);
  if (found !== undefined) await incus("delete", "--force", instance);
}

async function make(host: MachineHost, instance: string, address: string): Promise<void> {
  const { machine } = await ensureImages();
  await ensureMachineImage(machine.version);
  const body = {
    name: instance,
    source: { type: "image", alias: machineImageAlias(machine.version) },
    profiles: [],
    config: { "boot.autostart": "false", [ownerKey]: host.owner },
    devices: {
      root: { type: "disk", path: "/", pool: host.pool },
      eth0: { type: "nic", network: host.network, name: "eth0", "ipv4.address": address },
    },
  };
  await incus("query", "--request", "POST", "--wait", "--data", JSON.stringify(body), "/1.0/instances");
  await enableUnit(instance, "haproxy.service", "/usr/lib/systemd/system");
}

function renderConfig(rule: Thing, project: PretendedProject): string {
  const backend = project.all(types.backend).find((one) => pointsAt(rule.inputs.backendService, one));
  const check = project.all(types.healthCheck).find((one) => pointsAt(backend?.inputs.healthChecks, one));
  const [port = 22, path = "/"] = ["port", "requestPath"].map((key) => valuesAt(check?.inputs, `httpHealthCheck.${key}`)[0]); // prettier-ignore
  const servers = members(backend, project).map((vm) => `server ${String(vm.inputs.name)} ${internalAddress(vm)}:22`);
  return `global
    maxconn 4096
defaults
    mode tcp
    timeout connect 2s
    timeout check 3s
    timeout client 24d
    timeout server 24d
    retries 2
    option redispatch
frontend ssh
    bind :${[rule.inputs.ports].flat().join(",:")}
    use_backend any if { nbsrv(ready) eq 0 }
    default_backend ready
backend ready
    balance source
    option httpchk GET ${String(path)}
    default-server inter 1s fall 2 rise 2
${servers.map((server) => `    ${server} check port ${String(port)}`).join("\n")}
backend any
    balance source
${servers.map((server) => `    ${server}`).join("\n")}
`;
}

function members(backend: Thing | undefined, project: PretendedProject): Thing[] {
  const groups = project
    .all(types.group)
    .filter((group) => valuesAt(backend?.inputs, "backends[].group").some((value) => pointsAt(value, group)));
  const memberships = project
    .all(types.membership)
    .filter(({ inputs }) => groups.some((group) => pointsAt(inputs.instanceGroup, group)));
  return project.all(types.instance).filter((vm) => memberships.some(({ inputs }) => pointsAt(inputs.instance, vm)));
}
