import { containerRange } from "../cidr";
import { runOnHost } from "./host-command";

/**
 * A table of this host's firewall, for one bridge: from one machine to another machine's containers, packets keep their
 * source. Where the host sends bridged packets through its firewall (br_netfilter, which Incus wants), Incus' own rule
 * would put the bridge's address in its place, and machines let only machines through to their containers.
 */
export interface RealSources {
  network: string;
  /** The bridge's own address, with prefix length. */
  bridgeAddress: string;
}

/** The table as nft reads it; whatever was there under that name goes with the same transaction. Pure. */
export function renderRealSources({ network, bridgeAddress }: RealSources): string {
  const subnet = bridgeAddress.replace(/\.\d+\/24$/, ".0/24");
  return `table ip ${tableOf(network)} {}
delete table ip ${tableOf(network)}
table ip ${tableOf(network)} {
	chain postrouting {
		# Before Incus' chain: a source that was set once is not set again.
		type nat hook postrouting priority srcnat - 1; policy accept;
		oifname "${network}" ip saddr ${subnet} ip daddr ${containerRange} snat to ip saddr
	}
}
`;
}

export async function setRealSources(inputs: RealSources): Promise<void> {
  await runOnHost(["nft", "-f", "-"], renderRealSources(inputs));
}

/** It is gone after a reboot of the host, or when somebody flushed the ruleset. */
export async function hasRealSources({ network, bridgeAddress }: RealSources): Promise<boolean> {
  const listed = await runOnHost(["nft", "list", "table", "ip", tableOf(network)]).catch(() => "");
  return listed.includes(bridgeAddress.replace(/\.\d+\/24$/, ".0/24"));
}

export async function removeRealSources(network: string): Promise<void> {
  await runOnHost(["nft", "delete", "table", "ip", tableOf(network)]).catch(() => undefined);
}

/** Ours alone: nobody else's tables are called after our bridge. */
function tableOf(network: string): string {
  return `containarium-${network}`;
}
