import * as gcp from "@pulumi/gcp/compute";
import * as pulumi from "@pulumi/pulumi";

import { readinessPort } from "./fleet-network";
import type { FleetPlan } from "./fleet-plan";
import type { JumpServer } from "./jump-server";

export interface SshLoadBalancerArgs {
  plan: FleetPlan;
  network: gcp.Network;
  /** Those that take part, in any order. */
  servers: { instance: JumpServer["instance"]; id: number }[];
}

/** Where the health checks of a passthrough balancer come from (cloud.google.com/load-balancing/docs/health-check-concepts). */
const healthCheckRanges = ["35.191.0.0/16", "209.85.152.0/22", "209.85.204.0/22"];

/**
 * One address for SSH before all servers of a fleet. It passes packets on as they are: servers see who comes. A server
 * takes part while its readiness service says so; every server forwards everybody to their own container, wherever it is.
 */
export class SshLoadBalancer extends pulumi.ComponentResource {
  readonly address: pulumi.Output<string>;

  constructor(name: string, args: SshLoadBalancerArgs, options?: pulumi.ComponentResourceOptions) {
    super("containarium:google:SshLoadBalancer", name, {}, options);
    const { plan, network, servers } = args;
    const { names, region, zone } = plan;
    const parent = { parent: this };
    const address = new gcp.Address(
      "balancer-address",
      { name: names.balancer("address"), region, addressType: "EXTERNAL", networkTier: "PREMIUM" },
      { ...parent, dependsOn: network },
    );
    new gcp.Firewall(
      "allow-health",
      {
        name: names.firewall("health"),
        description: "The balancer's health checks, to the servers' readiness service",
        network: network.id,
        direction: "INGRESS",
        allows: [{ protocol: "tcp", ports: [readinessPort] }],
        sourceRanges: healthCheckRanges,
        targetTags: [names.fleet],
      },
      parent,
    );
    const group = new gcp.InstanceGroup(
      "balancer-group",
      { name: names.balancer("group"), zone, network: network.id },
      parent,
    );
    const memberships = servers.map(
      ({ instance, id }) =>
        new gcp.InstanceGroupMembership(
          `${names.server(id).server}-in-balancer`,
          { instance: instance.selfLink, instanceGroup: group.name, zone },
          // A VM that is made again drops out of its group, and Google says nothing.
          { ...parent, deletedWith: instance, replaceWith: [instance], deleteBeforeReplace: true },
        ),
    );
    const ready = new gcp.RegionHealthCheck(
      "balancer-ready",
      {
        name: names.balancer("ready"),
        region,
        checkIntervalSec: 5,
        timeoutSec: 5,
        healthyThreshold: 2,
        unhealthyThreshold: 2,
        httpHealthCheck: { port: Number(readinessPort), requestPath: "/readyz" },
      },
      { ...parent, dependsOn: network },
    );
    const backend = new gcp.RegionBackendService(
      "balancer-backend",
      {
        name: names.balancer("backend"),
        region,
        loadBalancingScheme: "EXTERNAL",
        protocol: "TCP",
        healthChecks: ready.id,
        // Not needed for a login; it keeps a person's attempts, and their bans, on one server.
        sessionAffinity: "CLIENT_IP",
        connectionDrainingTimeoutSec: 300,
        connectionTrackingPolicy: {
          trackingMode: "PER_CONNECTION",
          connectionPersistenceOnUnhealthyBackends: "DEFAULT_FOR_PROTOCOL",
        },
        backends: [{ group: group.selfLink, balancingMode: "CONNECTION" }],
      },
      parent,
    );
    new gcp.ForwardingRule(
      "balancer-rule",
      {
        name: names.balancer("rule"),
        region,
        loadBalancingScheme: "EXTERNAL",
        ipProtocol: "TCP",
        ports: ["22"],
        ipAddress: address.address,
        networkTier: "PREMIUM",
        backendService: backend.id,
      },
      { ...parent, dependsOn: memberships },
    );
    this.address = address.address;
    this.registerOutputs({ address: this.address });
  }
}
