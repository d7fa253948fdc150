import * as pulumi from "@pulumi/pulumi";

import { Container, LocalBalancer, LocalFleet } from "./components";
import { stackSettings } from "./components/settings";
import type { Inventory } from "./ops/fleet/inventory";

const settings = stackSettings();

// settings -> servers -> balancer -> containers -> outputs
const fleet = new LocalFleet("fleet", settings);
const balancer = settings.loadBalancer ? new LocalBalancer("balancer", settings, { dependsOn: fleet }) : undefined;

for (const { server: name, ...container } of settings.containers) {
  const index = settings.servers.findIndex((id) => `jump-${id}` === name);
  new Container(container.user, { ...container, server: fleet.servers[index]! });
}

/** What `containarium-ops` reads: where the servers are, and how to know them. */
export const inventory: pulumi.Output<Inventory> = pulumi.all(fleet.servers).apply((servers) => ({
  schema: 1 as const,
  stack: settings.stack,
  servers,
  ...(balancer && { balancer: balancer.endpoint }),
  defaults: { image: settings.image, ...settings.defaults },
}));
