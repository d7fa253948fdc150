import * as pulumi from "@pulumi/pulumi";

import type { ServerAddress } from "../ops/fleet/inventory";
import { stub } from "./stub";

export interface ContainerArgs {
  /** Login name; also the name of the resource. A container's user never changes. */
  user: pulumi.Input<string>;
  /** Public keys in OpenSSH format. */
  sshKeys: pulumi.Input<pulumi.Input<string>[]>;
  /** The server it lives on. Moving a container is `containarium-ops move`, never a change here. */
  server: pulumi.Input<ServerAddress>;
  /** Image to make it from, by the server's name for it. Default: the server's golden image. Used once, at creation. */
  image?: pulumi.Input<string>;
  /** CPU time in cores. Default 4. */
  cpu?: pulumi.Input<number>;
  /** Memory limit. Default `4GiB`. */
  memory?: pulumi.Input<string>;
  /** Disk quota. Default `20GB`. */
  diskQuota?: pulumi.Input<string>;
  /** The most processes and threads. Default 4096. */
  processes?: pulumi.Input<number>;
  /** Start again when the server boots. Default true. */
  autostart?: pulumi.Input<boolean>;
  /** Allow Docker inside. Default true. */
  docker?: pulumi.Input<boolean>;
  /** When snapshots are made by themselves, such as `@daily`. Default: never. */
  snapshotSchedule?: pulumi.Input<string>;
  /** When those are deleted, such as `7d`. Default: never. */
  snapshotExpiry?: pulumi.Input<string>;
}

/** One person's container and jump account. Created, changed and deleted by the same `ops` functions as the CLI's. */
export class Container extends pulumi.dynamic.Resource {
  declare readonly user: pulumi.Output<string>;
  declare readonly ip: pulumi.Output<string>;
  declare readonly hostKeys: pulumi.Output<string[]>;

  constructor(name: string, args: ContainerArgs, options?: pulumi.CustomResourceOptions) {
    super(
      stub("container"),
      name,
      { ...args, ip: undefined, hostKeys: undefined },
      options,
      "containarium",
      "Container",
    );
  }
}
