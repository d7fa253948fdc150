import * as pulumi from "@pulumi/pulumi";

import type { Balancer, Inventory, InventoryServer } from "../ops/fleet/inventory";
import { fleetCapacity } from "./capacity";
import { Container } from "./container";
import { type MonthlyCost, monthlyCost } from "./cost";
import { LocalBalancer } from "./local/balancer";
import { LocalFleet } from "./local/fleet";
import { serverName } from "./naming";
import type { Settings } from "./settings";
import { SpotFleet, type SpotFleetArgs } from "./spot-fleet";
import { SshLoadBalancer } from "./ssh-load-balancer";

/** The stack's outputs. `inventory` is a contract (CHANGELOG); the others are for people and scripts. */
export interface ProgramOutputs {
  /** What `containarium-ops` reads: where the servers are, and how to know them. */
  inventory: pulumi.Output<Inventory>;
  /** Address of each server, by name. */
  addresses: Record<string, pulumi.Output<string>>;
  /** How an administrator logs in to each server, by name. */
  ssh: Record<string, pulumi.Output<string>>;
  /** How many people the servers carry. On Google only. */
  capacity?: ReturnType<typeof fleetCapacity>;
  /** What the fleet costs a month, by part, with the prices' source and date. On Google only. */
  monthlyCost?: MonthlyCost;
}

/**
 * The whole program: settings -> fleet -> balancer -> containers -> outputs. For `index.ts`, and for programs that embed
 * it in the Automation API (examples/embedding).
 */
export function containariumProgram(settings: Settings): ProgramOutputs {
  const fleet = isOnGoogle(settings) ? googleFleet(settings) : localFleet(settings);
  const byName = new Map(settings.servers.map((id, index) => [serverName(id), fleet.servers[index]!]));
  for (const { server, ...container } of settings.containers) {
    const options = { dependsOn: fleet.ready.get(server) ?? [] };
    new Container(container.user, { ...container, server: byName.get(server)! }, options);
  }
  return {
    inventory: pulumi.all([pulumi.all(fleet.servers), fleet.balancer]).apply(([servers, balancer]) => ({
      schema: 1 as const,
      stack: settings.stack,
      servers,
      ...(balancer !== undefined && { balancer }),
      defaults: { image: settings.image, ...settings.defaults },
    })),
    addresses: mapped(byName, (server) => server.apply(({ address }) => address)),
    ssh: mapped(byName, (server) => server.apply(({ adminUser, address }) => `ssh ${adminUser}@${address}`)),
    ...fleet.figures,
  };
}

/** What the two targets have in common. */
interface Fleet {
  /** In the order of the settings' ids. */
  servers: pulumi.Output<InventoryServer>[];
  /** What has to be there before a container is made, by server. */
  ready: Map<string, pulumi.Resource>;
  /** Where people connect, if there is a balancer. */
  balancer: pulumi.Output<Balancer | undefined>;
  figures: Pick<ProgramOutputs, "capacity" | "monthlyCost">;
}

function localFleet(settings: Settings): Fleet {
  const fleet = new LocalFleet("fleet", settings);
  const balancer = settings.loadBalancer ? new LocalBalancer("balancer", settings, { dependsOn: fleet }) : undefined;
  return { servers: fleet.servers, ready: new Map(), balancer: pulumi.output(balancer?.endpoint), figures: {} };
}

function googleFleet(settings: SpotFleetArgs): Fleet {
  const { google, servers: ids } = settings;
  const { servers, jumpServers, network, plan } = new SpotFleet("fleet", settings);
  const members = jumpServers
    .map(({ instance }, index) => ({ instance, id: ids[index]! }))
    .filter(({ id }) => !settings.outOfBalancer.includes(id));
  const balancer = settings.loadBalancer
    ? new SshLoadBalancer("balancer", { plan, network: network.network, servers: members })
    : undefined;
  return {
    servers,
    ready: new Map(plan.servers.map(({ names }, index) => [names.server, jumpServers[index]!])),
    balancer: pulumi.output(balancer && { address: balancer.address, port: 22 }),
    figures: {
      capacity: fleetCapacity(google.machineType, ids),
      monthlyCost: monthlyCost({
        region: plan.region,
        machineType: google.machineType,
        spot: google.spot,
        servers: ids.length,
        bootDisk: { type: "pd-balanced", sizeGb: google.bootDiskSizeGb },
        dataDisks: { type: google.dataDiskType, sizesGb: plan.servers.map(({ dataDisk }) => dataDisk.sizeGb) },
        loadBalancer: settings.loadBalancer,
      }),
    },
  };
}

function isOnGoogle(settings: Settings): settings is SpotFleetArgs {
  return settings.google !== undefined;
}

function mapped<T>(
  servers: Map<string, pulumi.Output<InventoryServer>>,
  value: (server: pulumi.Output<InventoryServer>) => T,
): Record<string, T> {
  return Object.fromEntries([...servers].map(([name, server]) => [name, value(server)]));
}
