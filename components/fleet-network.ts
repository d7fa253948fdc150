import * as gcp from "@pulumi/gcp/compute";
import * as pulumi from "@pulumi/pulumi";

import { containerRange } from "./cidr";
import type { FleetNames } from "./naming";

export interface FleetNetworkArgs {
  names: FleetNames;
  region: string;
  /** Range of the servers' own addresses, `10.64.0.0/24`. */
  subnet: string;
  /** Ranges that may speak to port 22 of the servers. At least one, at most 250. */
  allowedSshSources: string[];
  /** What has to agree before anything of the fleet is touched. */
  after: pulumi.Resource[];
}

/** Port of the service that says whether a server is ready, and tells its peers who lives there (startup/). */
export const readinessPort = "8022";

/**
 * A network of the fleet's own, and who may speak in it: people to port 22 of the servers, the servers to each other's
 * containers (port 22) and readiness service. Everything else that comes in is dropped, as Google does by itself.
 */
export class FleetNetwork extends pulumi.ComponentResource {
  readonly network: gcp.Network;
  readonly subnetwork: gcp.Subnetwork;

  constructor(name: string, args: FleetNetworkArgs, options?: pulumi.ComponentResourceOptions) {
    super("containarium:google:FleetNetwork", name, {}, options);
    const { names, region, subnet, allowedSshSources } = args;
    const parent = { parent: this };
    this.network = new gcp.Network(
      "network",
      { name: names.network, autoCreateSubnetworks: false, routingMode: "REGIONAL" },
      { ...parent, dependsOn: args.after },
    );
    this.subnetwork = new gcp.Subnetwork(
      "subnet",
      { name: names.subnet, network: this.network.id, region, ipCidrRange: subnet },
      parent,
    );
    const common = { network: this.network.id, direction: "INGRESS", targetTags: [names.fleet] };
    const tcp = (port: string) => [{ protocol: "tcp", ports: [port] }];
    new gcp.Firewall(
      "allow-ssh",
      {
        ...common,
        name: names.firewall("ssh"),
        description: "People and administrators, to the servers' SSH",
        allows: tcp("22"),
        sourceRanges: allowedSshSources,
        logConfig: { metadata: "INCLUDE_ALL_METADATA" },
      },
      parent,
    );
    // By tag: it stands for the servers' own addresses alone, so nothing that comes from a container itself matches.
    new gcp.Firewall(
      "allow-fleet",
      {
        ...common,
        name: names.firewall("fleet"),
        description: "From any server to any container's SSH",
        allows: tcp("22"),
        sourceTags: [names.fleet],
        destinationRanges: [containerRange],
      },
      parent,
    );
    new gcp.Firewall(
      "allow-peers",
      {
        ...common,
        name: names.firewall("peers"),
        description: "Servers ask each other who lives there",
        allows: tcp(readinessPort),
        sourceTags: [names.fleet],
        destinationRanges: [subnet],
      },
      parent,
    );
    this.registerOutputs({ network: this.network.id, subnetwork: this.subnetwork.id });
  }
}
