import * as pulumi from "@pulumi/pulumi";

import { stub } from "./stub";

export interface DataDiskRecordArgs {
  /** The disk's name in the Google project; another generation is another disk, and the next value of the same record. */
  disk: pulumi.Input<string>;
  /** Id of the Google project. */
  project: pulumi.Input<string>;
  zone: pulumi.Input<string>;
  type: pulumi.Input<string>;
  /** GiB. */
  sizeGb: pulumi.Input<number>;
  /** The disk is there already, and is to be taken. */
  adopt: pulumi.Input<boolean>;
  /** Whether the project has a disk of that name and zone now. */
  inProject: pulumi.Input<boolean>;
}

/**
 * What a data disk was made as. It comes before the disk, and says no where Google or the engine would make another,
 * empty disk in its place (in another project or zone, of another type, smaller, or of a generation that is past), and
 * where a server that was removed has left a disk that nobody speaks of. `pulumi preview` already says so.
 */
export class DataDiskRecord extends pulumi.dynamic.Resource {
  constructor(name: string, args: DataDiskRecordArgs, options?: pulumi.CustomResourceOptions) {
    super(stub("dataDiskRecord"), name, { ...args }, options, "containarium", "DataDiskRecord");
  }
}
