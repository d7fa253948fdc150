import * as pulumi from "@pulumi/pulumi";

import { stub } from "../stub";

export interface LocalMachineArgs {
  /** Name of the server, `jump-1`. */
  server: pulumi.Input<string>;
  /** Name of the system container on this host. */
  instance: pulumi.Input<string>;
  /** Stack that owns it. */
  owner: pulumi.Input<string>;
  network: pulumi.Input<string>;
  pool: pulumi.Input<string>;
  /** Version of the machine image. A newer one is used when the machine is made again, not before. */
  image: pulumi.Input<string>;
  /** Its address on the bridge. */
  address: pulumi.Input<string>;
  /** Sparse file of the data disk; relative to the project's folder. Outlives the machine. */
  dataDisk: pulumi.Input<string>;
  /** Size of the data disk in GiB. Grows only. */
  dataDiskSizeGb: pulumi.Input<number>;
  adminUser: pulumi.Input<string>;
  adminSshKeys: pulumi.Input<pulumi.Input<string>[]>;
  containerSubnet: pulumi.Input<string>;
  /** The network of the fleet's servers. */
  fleetSubnet: pulumi.Input<string>;
  /** Addresses that fail2ban leaves alone. */
  neverBan: pulumi.Input<pulumi.Input<string>[]>;
  /** Name of the golden image, and where it comes from. */
  goldenImage: pulumi.Input<string>;
  goldenVersion: pulumi.Input<string>;
  /** Hash of the startup files: when it changes they are run again on the living machine. */
  startupHash: pulumi.Input<string>;
}

/**
 * A jump server as a system container on this host: the same startup files, the same layout, its own data disk. What is
 * in it can be thrown away; the next `pulumi up` makes it again around the disk.
 */
export class LocalMachine extends pulumi.dynamic.Resource {
  /** Its SSH host keys, read through this host's Incus: nothing is trusted on first use. */
  declare readonly hostKeys: pulumi.Output<string[]>;

  constructor(name: string, args: LocalMachineArgs, options?: pulumi.CustomResourceOptions) {
    super(stub("localMachine"), name, { ...args, hostKeys: undefined }, options, "containarium", "LocalMachine");
  }
}
