import * as pulumi from "@pulumi/pulumi";

import type { Balancer } from "../../ops/fleet/inventory";
import { projectDirectory } from "../project-directory";
import { serverName } from "../naming";
import type { Settings } from "../settings";
import { stub } from "../stub";
import { balancerAddress, localNames, machineAddress } from "./address-plan";
import { renderBalancerConfig } from "./balancer-config";
import { localImages } from "./images";
import { ownerOf } from "./owner";

/**
 * One address before all local servers: a small system container with haproxy. It holds nothing; the next `pulumi up`
 * makes it again. Whichever server answers, everybody arrives at their own container. To the servers everybody comes from
 * its address, which they therefore never ban; Google's balancer leaves people their own.
 */
export class LocalBalancer extends pulumi.dynamic.Resource {
  /** Where people connect. */
  readonly endpoint: Balancer;

  constructor(name: string, settings: Settings, options?: pulumi.CustomResourceOptions) {
    const names = localNames(settings.stack);
    const address = balancerAddress(settings.localSubnet);
    const balanced = settings.servers.filter((id) => !settings.outOfBalancer.includes(id));
    const backends = balanced.map((id) => ({
      name: serverName(id),
      address: machineAddress(settings.localSubnet, id),
    }));
    super(
      stub("localBalancer"),
      name,
      {
        instance: names.balancer,
        owner: ownerOf(settings.stack, projectDirectory()),
        network: names.network,
        pool: names.pool,
        image: localImages().machine.version,
        address,
        config: renderBalancerConfig(backends),
      },
      options,
      "containarium",
      "LocalBalancer",
    );
    this.endpoint = { address, port: 22 };
  }
}
