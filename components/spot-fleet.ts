import { readFileSync } from "node:fs";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { InvalidInputError } from "../ops/errors";
import type { InventoryServer } from "../ops/fleet/inventory";
import { explainedRun } from "./explained";
import { FleetNetwork } from "./fleet-network";
import { type FleetPlan, planFleet } from "./fleet-plan";
import type { GoogleSettings } from "./google-settings";
import { JumpServer } from "./jump-server";
import { projectDirectory } from "./project-directory";
import type { Settings } from "./settings";
import { snapshotSchedule } from "./snapshot-schedule";
import { Starter } from "./starter";
import { ZfsDisk } from "./zfs-disk";

/** Settings of a fleet on Google. */
export type SpotFleetArgs = Settings & { google: GoogleSettings };

/**
 * N jump servers on Compute Engine, keyed by explicit ids: adding or removing one touches no other. Spot and regular
 * servers are made the same way; only Spot ones need somebody who starts them again.
 */
export class SpotFleet extends pulumi.ComponentResource {
  readonly plan: FleetPlan;
  readonly network: FleetNetwork;
  /** In the order of the settings' ids. */
  readonly jumpServers: JumpServer[];
  readonly servers: pulumi.Output<InventoryServer>[];

  constructor(name: string, settings: SpotFleetArgs, options?: pulumi.ComponentResourceOptions) {
    super("containarium:google:SpotFleet", name, {}, options);
    const { google } = settings;
    const parent = { parent: this };
    this.plan = explainedRun(() => planFleet({ ...settings, ...google }));
    const { names, region } = this.plan;
    const adminPrivateKey = explainedRun(() => privateKeyOf(google.adminIdentityFile));
    const snapshotPolicy = google.snapshots && snapshotSchedule({ names, region, ...google.snapshots }, parent);
    const disks = this.plan.servers.map(
      (plan) =>
        new ZfsDisk(
          `${plan.names.server}-data`,
          {
            plan: plan.dataDisk,
            project: google.project,
            zone: plan.zone,
            type: google.dataDiskType,
            fleet: names.fleet,
            snapshotPolicy,
            protect: google.protectDataDisks,
          },
          parent,
        ),
    );
    // Where a disk is in danger (another zone, say), nothing else moves either.
    const after = disks.map(({ record }) => record);
    this.network = new FleetNetwork("network", { names, region, after, ...google }, parent);
    const starter = google.spot
      ? new Starter("starter", { names, project: google.project, paused: google.recoveryPaused }, parent)
      : undefined;
    this.jumpServers = this.plan.servers.map((plan, index) => {
      const server = new JumpServer(
        plan.names.server,
        {
          plan,
          fleet: names.fleet,
          network: this.network.network,
          subnetwork: this.network.subnetwork,
          fleetSubnet: google.subnet,
          bootImage: google.bootImage,
          bootDiskSizeGb: google.bootDiskSizeGb,
          bootDiskType: "pd-balanced",
          dataDisk: disks[index]!,
          adminUser: settings.adminUser,
          adminSshKeys: settings.adminSshKeys,
          adminPrivateKey,
          adminIdentityFile: google.adminIdentityFile,
          image: settings.image,
          neverBan: settings.neverBan,
        },
        parent,
      );
      starter?.watch(server.instance, plan);
      return server;
    });
    this.servers = this.jumpServers.map(({ server }) => server);
    this.registerOutputs({ servers: this.servers });
  }
}

function privateKeyOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(path.resolve(projectDirectory(), file), "utf8");
  } catch (error) {
    throw new InvalidInputError(`containarium:adminIdentityFile: cannot read ${file}`, {
      cause: error,
      remedy: "Name the private key's file, relative to the project's folder; or leave it out to use the SSH agent.",
    });
  }
}
