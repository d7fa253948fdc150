import * as scheduler from "@pulumi/gcp/cloudscheduler";
import * as compute from "@pulumi/gcp/compute";
import * as projects from "@pulumi/gcp/projects";
import * as serviceaccount from "@pulumi/gcp/serviceaccount";
import * as pulumi from "@pulumi/pulumi";

import type { ServerPlan } from "./fleet-plan";
import type { FleetNames } from "./naming";

export interface StarterArgs {
  names: FleetNames;
  /** Id of the Google project. */
  project: string;
  /** Start nobody: for a deliberate stop. */
  paused: boolean;
}

/**
 * Starts stopped Spot servers again: Google never does so by itself. A scheduled job per server asks every minute, as an
 * account that may do one thing, `compute.instances.start`, on those instances alone. A server that runs is left as it is;
 * where Google has no room, the next minute tries again.
 */
export class Starter extends pulumi.ComponentResource {
  private readonly role: projects.IAMCustomRole;
  private readonly account: serviceaccount.Account;

  constructor(
    name: string,
    private readonly args: StarterArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("containarium:google:Starter", name, {}, options);
    const { names } = args;
    this.role = new projects.IAMCustomRole(
      "starter-role",
      {
        roleId: names.starterRole,
        title: `Start the servers of ${names.fleet}`,
        permissions: ["compute.instances.start"],
      },
      { parent: this },
    );
    this.account = new serviceaccount.Account(
      "starter-account",
      { accountId: names.starterAccount, displayName: `Starts the servers of ${names.fleet}` },
      { parent: this },
    );
    this.registerOutputs({});
  }

  /** From now on that server is started again whenever it is stopped. */
  watch(instance: compute.Instance, { names, zone, region }: ServerPlan): void {
    const permission = new compute.InstanceIAMMember(
      `${names.server}-starter-may`,
      {
        instanceName: instance.name,
        zone,
        role: this.role.name,
        member: pulumi.interpolate`serviceAccount:${this.account.email}`,
      },
      // The permission goes with the VM, and Google says nothing.
      { parent: this, deletedWith: instance, replaceWith: [instance], deleteBeforeReplace: true },
    );
    const { project, paused } = this.args;
    new scheduler.Job(
      `${names.server}-starter`,
      {
        name: names.starter,
        region,
        description: `Starts ${names.instance} again when it is stopped`,
        schedule: "* * * * *",
        timeZone: "Etc/UTC",
        attemptDeadline: "30s",
        paused,
        httpTarget: {
          httpMethod: "POST",
          uri: `https://compute.googleapis.com/compute/v1/projects/${project}/zones/${zone}/instances/${names.instance}/start`,
          oauthToken: {
            serviceAccountEmail: this.account.email,
            scope: "https://www.googleapis.com/auth/compute",
          },
        },
      },
      { parent: this, dependsOn: permission },
    );
  }
}
