import { createHash } from "node:crypto";

import * as gcp from "@pulumi/gcp/compute";
import * as command from "@pulumi/command/remote";
import * as pulumi from "@pulumi/pulumi";

import type { InventoryServer } from "../ops/fleet/inventory";
import type { DiskType } from "./cost";
import type { ServerPlan } from "./fleet-plan";
import { reportedHostKey, ServerIdentity } from "./server-identity";
import { dataDiskName, startupMetadata } from "./startup-script";
import { startupFiles } from "./startup-files";
import { convergeCommand } from "./converge-command";
import type { ZfsDisk } from "./zfs-disk";

export interface JumpServerArgs {
  /** Who it is: id, names, zone, addresses, disk. */
  plan: ServerPlan;
  /** Value of the label `fleet` and network tag. */
  fleet: string;
  network: gcp.Network;
  subnetwork: gcp.Subnetwork;
  /** Range of the subnetwork. */
  fleetSubnet: string;
  /** `PROJECT/FAMILY`. A newer image alone is no reason to touch a living server. */
  bootImage: string;
  /** GiB, at least 15. What is on the boot disk can be made again. */
  bootDiskSizeGb: number;
  bootDiskType: DiskType;
  /** The disk of the plan. */
  dataDisk: ZfsDisk;
  adminUser: string;
  /** Public keys of the administrators, at least one. */
  adminSshKeys: string[];
  /** Text of a private key that opens the administrator's account, for `pulumi up` itself. Default: the SSH agent. */
  adminPrivateKey?: pulumi.Input<string>;
  /** Named in the inventory for `containarium-ops`; relative to the project's folder. */
  adminIdentityFile?: string;
  /** What golden images are baked from, by Incus' name. */
  image: string;
  /** Addresses that fail2ban leaves alone. */
  neverBan: string[];
}

/**
 * A jump server on Compute Engine: the VM, two addresses that stay, the route to its containers, and its identity. The VM
 * can be thrown away; it comes back around its data disk.
 */
export class JumpServer extends pulumi.ComponentResource {
  readonly instance: gcp.Instance;
  /** How to reach and to trust it. What needs it ready depends on the whole component. */
  readonly server: pulumi.Output<InventoryServer>;

  constructor(name: string, args: JumpServerArgs, options?: pulumi.ComponentResourceOptions) {
    super("containarium:google:JumpServer", name, {}, options);
    const { plan } = args;
    const { names, region } = plan;
    const parent = { parent: this };
    const metadata = serverMetadata(args);
    const external = new gcp.Address(
      `${name}-external`,
      { name: names.externalAddress, region, addressType: "EXTERNAL", networkTier: "PREMIUM" },
      { ...parent, dependsOn: args.dataDisk.record },
    );
    const internal = new gcp.Address(
      `${name}-internal`,
      {
        name: names.internalAddress,
        region,
        addressType: "INTERNAL",
        purpose: "GCE_ENDPOINT",
        subnetwork: args.subnetwork.id,
        address: plan.internalAddress,
      },
      parent,
    );
    this.instance = new gcp.Instance(
      name,
      {
        name: names.instance,
        zone: plan.zone,
        machineType: plan.machineType,
        allowStoppingForUpdate: true,
        labels: { fleet: args.fleet },
        tags: [args.fleet],
        canIpForward: true,
        bootDisk: {
          autoDelete: true,
          initializeParams: { image: args.bootImage, size: args.bootDiskSizeGb, type: args.bootDiskType },
        },
        attachedDisks: [{ source: args.dataDisk.disk.selfLink, deviceName: dataDiskName, mode: "READ_WRITE" }],
        networkInterfaces: [
          {
            subnetwork: args.subnetwork.id,
            networkIp: internal.address,
            accessConfigs: [{ natIp: external.address, networkTier: "PREMIUM" }],
          },
        ],
        scheduling: scheduling(plan.spot),
        // ZFS of Debian is compiled on the server, and an unsigned module does not load under Secure Boot.
        shieldedInstanceConfig: {
          enableVtpm: true,
          enableIntegrityMonitoring: true,
          enableSecureBoot: hasSignedZfs(args.bootImage),
        },
        // No service account: nothing on the server can speak for the project.
        metadata: {
          "block-project-ssh-keys": "TRUE",
          "enable-oslogin": "FALSE",
          "enable-guest-attributes": "TRUE",
          "serial-port-enable": "FALSE",
          ...metadata,
        },
      },
      {
        ...parent,
        // Its name, its disk and its addresses are in use until it is gone.
        deleteBeforeReplace: true,
        // Another data disk is another server around it: taking the disk from a running one would pull it from under people.
        replaceOnChanges: ["attachedDisks[*].source"],
        ignoreChanges: ["bootDisk.initializeParams.image"],
        customTimeouts: { create: "30m", update: "30m" },
      },
    );
    new gcp.Route(
      `${name}-containers`,
      {
        name: names.route,
        network: args.network.id,
        destRange: plan.containerSubnet,
        // By address, not by instance: it outlives the VM.
        nextHopIp: internal.address,
        priority: 900,
      },
      parent,
    );
    const identity = new ServerIdentity(
      `${name}-identity`,
      {
        server: names.server,
        disk: plan.dataDisk.name,
        reportedHostKey: reportedHostKey(this.instance, names.server),
      },
      { ...parent, dependsOn: this.instance },
    );
    const address = external.address;
    const wanted = createHash("sha256").update(metadata["containarium-server"]!).digest("hex");
    new command.Command(
      `${name}-startup`,
      {
        connection: {
          host: address,
          user: args.adminUser,
          hostKey: identity.hostKeys.apply(([key = ""]) => key),
          ...(args.adminPrivateKey !== undefined && { privateKey: pulumi.secret(args.adminPrivateKey) }),
          dialErrorLimit: 20,
        },
        create: convergeCommand(wanted),
        triggers: [wanted, this.instance.instanceId],
        // It would go out as variables of the SSH session, which our sshd does not take.
        addPreviousOutputInEnv: false,
      },
      { ...parent, dependsOn: this.instance, customTimeouts: { create: "40m", update: "40m" } },
    );
    this.server = pulumi.all([address, identity.hostKeys]).apply(([reachedAt, hostKeys]) => ({
      name: names.server,
      address: reachedAt,
      port: 22,
      adminUser: args.adminUser,
      hostKeys,
      ...(args.adminIdentityFile !== undefined && { identityFile: args.adminIdentityFile }),
      containerSubnet: plan.containerSubnet,
    }));
    this.registerOutputs({ server: this.server });
  }
}

/** The only difference between the two kinds of server. Google accepts Spot with exactly these. */
function scheduling(spot: boolean): NonNullable<gcp.InstanceArgs["scheduling"]> {
  return spot
    ? {
        provisioningModel: "SPOT",
        preemptible: true,
        automaticRestart: false,
        onHostMaintenance: "TERMINATE",
        // Stopped, not deleted: the boot disk stays, and recovery installs nothing.
        instanceTerminationAction: "STOP",
      }
    : { provisioningModel: "STANDARD", preemptible: false, automaticRestart: true, onHostMaintenance: "MIGRATE" };
}

function hasSignedZfs(image: string): boolean {
  return image.startsWith("ubuntu-os-cloud/");
}

function serverMetadata({ plan, ...args }: JumpServerArgs): Record<string, string> {
  const { dataDisk, names } = plan;
  return startupMetadata(startupFiles(), {
    name: names.server,
    admin: { user: args.adminUser, authorizedKeys: args.adminSshKeys },
    containerSubnet: plan.containerSubnet,
    fleetSubnet: args.fleetSubnet,
    // A restored disk still says whose it was: the server's, whatever its generation.
    dataDiskId: names.instance,
    mayFormat: dataDisk.snapshot === undefined && !dataDisk.adopt,
    neverBan: args.neverBan,
    image: args.image,
  });
}
