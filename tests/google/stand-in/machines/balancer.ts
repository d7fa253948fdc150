import { type Backend, renderBalancerConfig } from "../../../../components/local/balancer-config";
import { localBalancerProvider } from "../../../../components/local/balancer-provider";
import { localImages } from "../../../../components/local/images";
import { removeInstanceOf } from "../../../../components/local/instance";
import { waitFor } from "../../../../ops/wait";
import { types } from "../kinds";
import type { PretendedProject, Thing } from "../project";
import { valuesAt } from "../properties";
import { pointsAt } from "../references";
import type { MachineHost } from "./host";
import { internalAddress } from "./vm";

/**
 * A forwarding rule as the local target's balancer: a small system container at the rule's address. Unlike Google's
 * passthrough it hides where people come from.
 */
export async function convergeBalancer(host: MachineHost, project: PretendedProject, rule: Thing): Promise<void> {
  const { owner, network, pool } = host;
  const spec = {
    owner,
    network,
    pool,
    instance: host.instance(String(rule.inputs.name)),
    image: localImages().machine.version,
    address: String(rule.inputs.ipAddress),
    config: renderBalancerConfig(backendsOf(rule, project)),
  };
  const converged = () =>
    localBalancerProvider.create(spec).then(
      () => true,
      (error: Error) => {
        // Right after the start of a container there is no systemd to speak to.
        if (/\bbus\b|D-Bus/i.test(error.message)) return false;
        throw error;
      },
    );
  await waitFor(converged, { what: `the balancer ${spec.instance}`, timeoutMs: 60_000, intervalMs: 500 });
}

export async function removeBalancer(host: MachineHost, rule: Thing): Promise<void> {
  await removeInstanceOf(host.instance(String(rule.inputs.name)), host.owner);
}

function backendsOf(rule: Thing, project: PretendedProject): Backend[] {
  const service = project.all(types.backend).find((one) => pointsAt(rule.inputs.backendService, one));
  const check = project.all(types.healthCheck).find((one) => pointsAt(service?.inputs.healthChecks, one));
  refuseOtherCheck(check);
  const groups = project
    .all(types.group)
    .filter((group) => valuesAt(service?.inputs, "backends[].group").some((value) => pointsAt(value, group)));
  const memberships = project
    .all(types.membership)
    .filter(({ inputs }) => groups.some((group) => pointsAt(inputs.instanceGroup, group)));
  return project
    .all(types.instance)
    .filter((vm) => memberships.some(({ inputs }) => pointsAt(inputs.instance, vm)))
    .map((vm) => ({ name: String(vm.inputs.name), address: internalAddress(vm) }));
}

/** What asks for something else would find no server healthy at Google. */
function refuseOtherCheck(check: Thing | undefined): void {
  const [port] = valuesAt(check?.inputs, "httpHealthCheck.port");
  const [requestPath] = valuesAt(check?.inputs, "httpHealthCheck.requestPath");
  if (port === 8022 && requestPath === "/readyz") return;
  throw new Error(`servers say that they are ready at port 8022, /readyz; this asks ${String(port)}, ${String(requestPath)}`); // prettier-ignore
}
