import { add, all, remove, set, setFirst, twin } from "../change";
import { types } from "../resource";
import type { Break } from "./break";

const access = (natIp: string, networkTier = "PREMIUM") => ({ accessConfigs: [{ natIp, networkTier }] });
const allows = (protocol: string, ...ports: string[]) => ({ allows: [{ protocol, ports }] });

const addresses: Break[] = [
  {
    rule: "address-region",
    how: "another region",
    change: set("jump-1-ext", { region: "europe-west4" }),
    at: "jump-1",
  },
  {
    rule: "address-region",
    how: "the balancer's",
    change: set("ssh-address", { region: "europe-west4" }),
    at: "ssh-rule",
  },
  { rule: "external-address-used-once", how: "another server's", change: setFirst("jump-2", "networkInterfaces", access("203.0.113.1")) }, // prettier-ignore
  { rule: "external-address-used-once", how: "a server's", change: set("ssh-rule", { ipAddress: "203.0.113.1" }) },
  { rule: "internal-address-used-once", how: "another server's", change: all(setFirst("jump-2", "networkInterfaces", { networkIp: "10.64.0.11" }), set("jump-2-route", { nextHopIp: "10.64.0.11" })) }, // prettier-ignore
  { rule: "internal-address-is-reserved", how: "a free one", change: all(setFirst("jump-2", "networkInterfaces", { networkIp: "10.64.0.99" }), set("jump-2-route", { nextHopIp: "10.64.0.99" })) }, // prettier-ignore
  { rule: "external-address-is-reserved", how: "Google's choice", change: setFirst("jump-1", "networkInterfaces", access("198.51.100.1")) }, // prettier-ignore
  {
    rule: "external-address-is-external",
    how: "an internal one",
    change: set("ssh-rule", { ipAddress: "10.64.0.11" }),
  },
  { rule: "network-tier", how: "the address is STANDARD", change: set("jump-1-ext", { networkTier: "STANDARD" }), at: "jump-1" }, // prettier-ignore
  { rule: "network-tier", how: "the balancer is STANDARD", change: set("ssh-rule", { networkTier: "STANDARD" }) },
  { rule: "network-tier", how: "the interface is STANDARD", change: setFirst("jump-1", "networkInterfaces", access("203.0.113.1", "STANDARD")), fleet: "dev" }, // prettier-ignore
  { rule: "internal-address-form", how: "no subnet", change: set("jump-1-int", { subnetwork: undefined }) },
  { rule: "internal-address-form", how: "another purpose", change: set("jump-1-int", { purpose: "SHARED_LOADBALANCER_VIP" }) }, // prettier-ignore
  { rule: "internal-address-form", how: "a subnet at an external one", change: set("jump-1-ext", { subnetwork: "containarium-prod" }) }, // prettier-ignore
  ...["10.65.0.11", "10.64.0.0", "10.64.0.1", "10.64.0.254", "10.64.0.255"].map((address) => ({
    rule: "internal-address-in-subnet",
    how: address,
    change: twin("jump-1-int", "other", { name: "other", address }),
  })),
  { rule: "internal-address-has-no-tier", how: "PREMIUM", change: set("jump-1-int", { networkTier: "PREMIUM" }) },
];

const ways: Break[] = [
  { rule: "network-mtu", how: "9000", change: set("network", { mtu: 9000 }) },
  { rule: "network-has-our-subnets-only", how: "nothing said", change: set("network", { autoCreateSubnetworks: undefined }) }, // prettier-ignore
  ...["10.64.0.0/30", "10.64.0.1/24", "8.8.8.0/24"].map((ipCidrRange) => ({
    rule: "subnet-range",
    how: ipCidrRange,
    change: twin("subnet", "other", { name: "other", network: "another", ipCidrRange }),
  })),
  { rule: "subnets-are-apart", how: "one in the other", change: twin("subnet", "other", { name: "other", ipCidrRange: "10.64.0.128/25" }) }, // prettier-ignore
  { rule: "subnet-leaves-room-for-containers", how: "10.0.200.0/24", change: twin("subnet", "other", { name: "other", ipCidrRange: "10.0.200.0/24" }) }, // prettier-ignore
  { rule: "subnet-region", how: "another region", change: set("subnet", { region: "europe-west4" }), fleet: "dev", at: "jump-1" }, // prettier-ignore
  { rule: "server-is-in-our-subnet", how: "the default one", change: all(setFirst("jump-1", "networkInterfaces", { subnetwork: "default", network: "containarium-dev" })), fleet: "dev" }, // prettier-ignore
  { rule: "server-address-in-subnet", how: "outside", change: all(setFirst("jump-1", "networkInterfaces", { networkIp: "10.65.0.11" }), set("jump-1-int", { address: "10.65.0.11", subnetwork: "other" }), set("jump-1-route", { nextHopIp: "10.65.0.11" })) }, // prettier-ignore
  { rule: "route-range", how: "host bits", change: set("jump-1-route", { destRange: "10.0.3.1/24" }) },
  { rule: "route-avoids-subnets", how: "the servers' own", change: set("jump-1-route", { destRange: "10.64.0.0/28" }) },
  { rule: "routes-are-apart", how: "another server's", change: set("jump-2-route", { destRange: "10.0.3.0/24" }) },
  {
    rule: "route-has-one-hop",
    how: "two",
    change: set("jump-1-route", { nextHopGateway: "default-internet-gateway" }),
  },
  { rule: "route-priority", how: "65536", change: set("jump-1-route", { priority: 65536 }) },
  { rule: "route-leads-to-a-server", how: "an address of nobody", change: twin("jump-1-route", "lost", { name: "lost", destRange: "10.0.9.0/24", nextHopIp: "10.64.0.99" }) }, // prettier-ignore
  { rule: "route-leads-to-a-server", how: "another network", change: set("jump-1-route", { network: "default" }) },
  { rule: "route-server-forwards", how: "nothing said", change: set("jump-1", { canIpForward: undefined }) },
  { rule: "server-has-a-route", how: "none", change: remove("jump-1-route"), at: "jump-1" },
];

const walls: Break[] = [
  { rule: "firewall-allows-or-denies", how: "both", change: set("allow-ssh", { denies: [{ protocol: "udp" }] }) },
  { rule: "firewall-allows-or-denies", how: "neither", change: set("allow-ssh", { allows: undefined }) },
  { rule: "firewall-has-sources", how: "none", change: set("allow-ssh", { sourceRanges: [] }) },
  { rule: "firewall-egress-has-no-sources", how: "some", change: set("allow-ssh", { direction: "EGRESS" }) },
  { rule: "firewall-tags-or-accounts", how: "both", change: set("allow-ssh", { targetServiceAccounts: ["a@b"] }) },
  { rule: "firewall-priority", how: "-1", change: set("allow-ssh", { priority: -1 }) },
  { rule: "firewall-ports", how: "at icmp", change: set("allow-ssh", allows("icmp", "22")) },
  { rule: "firewall-ports", how: "a list in one text", change: set("allow-ssh", allows("tcp", "22,80")) },
  { rule: "firewall-ports", how: "backwards", change: set("allow-ssh", allows("tcp", "90-80")) },
  { rule: "firewall-protocol", how: "TCP", change: set("allow-ssh", allows("TCP")) },
  { rule: "firewall-ranges", how: "host bits", change: set("allow-ssh", { sourceRanges: ["203.0.113.1/24"] }) },
  { rule: "firewall-ranges", how: "an address", change: set("allow-ssh", { sourceRanges: ["203.0.113.1"] }) },
  { rule: "firewall-ranges", how: "both families", change: set("allow-ssh", { sourceRanges: ["203.0.113.0/24", "2001:db8::/32"] }) }, // prettier-ignore
  { rule: "firewall-is-about-our-servers", how: "a tag of nobody", change: set("allow-ssh", { targetTags: ["jump"] }) },
  { rule: "ssh-is-not-for-everybody", how: "0.0.0.0/0", change: set("allow-ssh", { sourceRanges: ["0.0.0.0/0"] }) },
  { rule: "ssh-is-not-for-everybody", how: "::/0", change: set("allow-ssh", { sourceRanges: ["::/0"] }) },
  { rule: "nothing-but-ssh-is-for-everybody", how: "the port of readiness", change: set("allow-ssh", { sourceRanges: ["0.0.0.0/0"], ...allows("tcp", "22", "8022") }), told: { sshFromEverywhere: true } }, // prettier-ignore
  { rule: "nothing-but-ssh-is-for-everybody", how: "every port", change: set("allow-ssh", { sourceRanges: ["0.0.0.0/0"], ...allows("tcp") }), told: { sshFromEverywhere: true } }, // prettier-ignore
  { rule: "health-checks-come-through", how: "no rule", change: remove("allow-health"), at: "jump-2" },
  { rule: "health-checks-come-through", how: "a range is missing", change: set("allow-health", { sourceRanges: ["35.191.0.0/16", "209.85.152.0/22"] }), at: "jump-1" }, // prettier-ignore
  { rule: "health-checks-come-through", how: "another port", change: set("allow-health", allows("tcp", "22")), at: "jump-1" }, // prettier-ignore
  { rule: "health-checks-come-through", how: "a server without the tag", change: all(set("jump-4", { tags: ["other"] }), set("allow-ssh", { targetTags: undefined })) }, // prettier-ignore
  { rule: "health-checks-with-balancer-only", how: "a rule for nothing", change: add({ type: types.firewall, name: "allow-health", inputs: { name: "allow-health", network: "containarium-dev", allows: [{ protocol: "tcp", ports: ["8022"] }], sourceRanges: ["35.191.0.0/16"] } }), fleet: "dev" }, // prettier-ignore
];

export const networkBreaks: readonly Break[] = [...addresses, ...ways, ...walls];
