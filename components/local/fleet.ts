import { readFileSync } from "node:fs";
import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { InvalidInputError } from "../../ops/errors";
import type { InventoryServer } from "../../ops/fleet/inventory";
import { explainedRun } from "../explained";
import { projectDirectory } from "../project-directory";
import { serverName } from "../naming";
import type { Settings } from "../settings";
import { startupHash } from "../startup-files";
import { balancerAddress, bridgeAddress, containerSubnet, localNames, machineAddress } from "./address-plan";
import { LocalHost } from "./host";
import { localImages } from "./images";
import { LocalMachine } from "./machine";
import { ownerOf } from "./owner";

/** The private key that the local target makes for its administrator, relative to the project's folder. */
export const localAdminKey = ".containarium/admin_key";

/** N local machines, keyed by explicit ids: adding or removing one touches no other. */
export class LocalFleet extends pulumi.ComponentResource {
  readonly servers: pulumi.Output<InventoryServer>[];

  constructor(name: string, settings: Settings, options?: pulumi.ComponentResourceOptions) {
    super("containarium:local:Fleet", name, {}, options);
    const names = localNames(settings.stack);
    const images = localImages();
    const owner = ownerOf(settings.stack, projectDirectory());
    const adminKey = explainedRun(localAdminPublicKey);
    const host = new LocalHost(
      "local-host",
      {
        owner,
        network: names.network,
        bridgeAddress: bridgeAddress(settings.localSubnet),
        pool: names.pool,
      },
      { parent: this },
    );
    this.servers = settings.servers.map((id) => {
      const server = serverName(id);
      const address = machineAddress(settings.localSubnet, id);
      const machine = new LocalMachine(
        server,
        {
          server,
          owner,
          address,
          instance: names.machine(server),
          network: names.network,
          pool: names.pool,
          image: images.machine.version,
          dataDisk: `.containarium/disks/${names.machine(server)}.img`,
          dataDiskSizeGb: settings.dataDiskSizeGb,
          adminUser: settings.adminUser,
          adminSshKeys: [adminKey, ...settings.adminSshKeys],
          containerSubnet: containerSubnet(id),
          fleetSubnet: settings.localSubnet,
          // Everybody on this host comes from its end of the bridge, or from the balancer.
          neverBan: [
            bridgeAddress(settings.localSubnet).replace("/24", ""),
            balancerAddress(settings.localSubnet),
            ...settings.neverBan,
          ],
          goldenImage: settings.image,
          goldenVersion: images.golden.version,
          startupHash: startupHash(),
        },
        { parent: this, dependsOn: host, customTimeouts: { create: "30m", update: "30m" } },
      );
      return machine.hostKeys.apply((hostKeys) => ({
        name: server,
        address,
        port: 22,
        adminUser: settings.adminUser,
        hostKeys,
        identityFile: localAdminKey,
        containerSubnet: containerSubnet(id),
      }));
    });
    this.registerOutputs({ servers: this.servers });
  }
}

function localAdminPublicKey(): string {
  const file = path.join(projectDirectory(), `${localAdminKey}.pub`);
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new InvalidInputError(`${localAdminKey}.pub is missing`, {
      cause: error,
      remedy: "npm run quickstart  makes it.",
    });
  }
}
