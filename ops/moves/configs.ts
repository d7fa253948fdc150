import { KEY, NETWORK } from "../containers/instance-config";
import type { Config, Devices, Instance } from "../incus/types";

const OURS = "user.containarium.";

/**
 * What a copy is while it is not home: nobody's. It names nobody, so it is in no list and has no account; it starts with
 * no server; and its snapshots are neither made nor deleted by a schedule.
 */
export function arrivingConfig({ config }: Pick<Instance, "config">, user: string, from: string): Config {
  const kept = Object.entries(config).filter(([key]) => {
    return !key.startsWith(OURS) && !key.startsWith("volatile.") && !key.startsWith("snapshots.");
  });
  return { ...Object.fromEntries(kept), "boot.autostart": "false", [KEY.arriving]: user, [KEY.movedFrom]: from };
}

/** All that it was, as it is now: somebody may have changed it while it was copied. Its SSH is still to answer. */
export function homeConfig({ config }: Pick<Instance, "config">, from: string): Config {
  const kept = Object.entries(config).filter(([key]) => !key.startsWith("volatile."));
  return {
    ...Object.fromEntries(kept),
    "boot.autostart": "false",
    [KEY.state]: "arriving",
    [KEY.movedFrom]: from,
    [KEY.arriving]: "",
  };
}

/** The same devices, with an address of the network that it comes to. */
export function devicesAt({ devices }: Pick<Instance, "devices">, address: string): Devices {
  return { ...devices, eth0: { ...devices["eth0"], type: "nic", network: NETWORK, "ipv4.address": address } };
}
