import * as pulumi from "@pulumi/pulumi";

import { stub } from "../stub";

export interface LocalHostArgs {
  /** Stack that owns the things; no other one touches them. */
  owner: pulumi.Input<string>;
  /** Name of the bridge, at most 15 characters. */
  network: pulumi.Input<string>;
  /** The host's address on the bridge, with prefix length: `10.88.0.1/24`. */
  bridgeAddress: pulumi.Input<string>;
  /** Name of the storage pool of the machines' boot disks. */
  pool: pulumi.Input<string>;
}

/** What the machines of a local fleet share on this host: a bridge and a pool for boot disks. */
export class LocalHost extends pulumi.dynamic.Resource {
  constructor(name: string, args: LocalHostArgs, options?: pulumi.CustomResourceOptions) {
    super(stub("localHost"), name, { ...args }, options, "containarium", "LocalHost");
  }
}
