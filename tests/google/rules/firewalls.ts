import { parseCidr } from "../../../components/cidr";
import { between, type Fleet, list } from "../fleet";
import { nameOf, type Resource, types } from "../resource";
import { each, type Rule } from "../rule";

/** Where Google's health checks of a passthrough balancer come from. */
export const probeRanges = ["35.191.0.0/16", "209.85.152.0/22", "209.85.204.0/22"];

const isIngress = ({ inputs }: Resource) => (inputs.direction ?? "INGRESS") === "INGRESS";
const isIpv6 = (range: string) => range.includes(":");

/** Whether a range is one: of IPv4 without host bits, of IPv6 roughly. */
const isRange = (range: string) =>
  isIpv6(range) ? /^[0-9a-fA-F:]+\/\d{1,3}$/.test(range) : parseCidr(range) !== undefined;

function allowsPort({ inputs }: Resource, port: number): boolean {
  return list(inputs.allows).some(
    ({ protocol, ports }) =>
      ["tcp", "all", "6"].includes(protocol) &&
      (list(ports).length === 0 ||
        list<string>(ports).some((range) => {
          const [low, high = low] = String(range).split("-").map(Number);
          return port >= low! && port <= high!;
        })),
  );
}

function healthPort(fleet: Fleet): number | undefined {
  const check = fleet.byType(types.healthCheck)[0]?.inputs ?? {};
  return (check.httpHealthCheck ?? check.tcpHealthCheck)?.port;
}

/** Firewall rules that admit Google's health checks to some servers. */
const probeRules = (fleet: Fleet) =>
  fleet
    .byType(types.firewall)
    .filter((rule) => isIngress(rule) && probeRanges.some((range) => list(rule.inputs.sourceRanges).includes(range)));

function admits(rule: Resource, vm: Resource, fleet: Fleet): boolean {
  const targets = list<string>(rule.inputs.targetTags);
  return (
    rule.inputs.disabled !== true &&
    nameOf(rule.inputs.network) === fleet.networkOf(vm) &&
    (targets.length === 0 || targets.some((tag) => list(vm.inputs.tags).includes(tag)))
  );
}

export const firewallRules: readonly Rule[] = [
  {
    id: "firewall-allows-or-denies",
    what: "A firewall rule allows or denies.",
    source: "api",
    check: each(types.firewall, ({ inputs }) => (list(inputs.allows).length > 0) === (list(inputs.denies).length > 0) && "must have one of allows and denies"), // prettier-ignore
  },
  {
    id: "firewall-has-sources",
    what: "A rule for what comes in says where from.",
    source: "provider",
    check: each(types.firewall, (rule) =>
      isIngress(rule) &&
      [rule.inputs.sourceRanges, rule.inputs.sourceTags, rule.inputs.sourceServiceAccounts].every((from) => list(from).length === 0) &&
      "has no sources",
    ), // prettier-ignore
  },
  {
    id: "firewall-egress-has-no-sources",
    what: "A rule for what goes out has destinations, not sources.",
    source: "api",
    check: each(types.firewall, (rule) => !isIngress(rule) && [rule.inputs.sourceRanges, rule.inputs.sourceTags].some((from) => list(from).length > 0) && "goes out and has sources"), // prettier-ignore
  },
  {
    id: "firewall-tags-or-accounts",
    what: "A firewall rule goes by tags or by service accounts.",
    source: "provider",
    check: each(types.firewall, ({ inputs }) =>
      [inputs.sourceTags, inputs.targetTags].some((tags) => list(tags).length > 0) &&
      [inputs.sourceServiceAccounts, inputs.targetServiceAccounts].some((accounts) => list(accounts).length > 0) &&
      "has tags and service accounts",
    ), // prettier-ignore
  },
  {
    id: "firewall-priority",
    what: "A rule's priority is 0 to 65535.",
    source: "api",
    check: each(types.firewall, ({ inputs: { priority } }) => priority !== undefined && !between(priority, 0, 65535) && `priority ${priority}`), // prettier-ignore
  },
  {
    id: "firewall-ports",
    what: "Ports, or ranges of them, are given for tcp, udp and sctp, and for nothing else.",
    source: "api",
    check: each(types.firewall, ({ inputs }) =>
      [...list(inputs.allows), ...list(inputs.denies)].flatMap(({ protocol, ports }) =>
        list<string>(ports).map((port) => {
          const [low, high = low] = /^(\d+)(?:-(\d+))?$/.exec(port)?.slice(1).filter(Boolean).map(Number) ?? [];
          const right = between(low, 0, 65535) && between(high, low!, 65535);
          return (!["tcp", "udp", "sctp", "6", "17", "132"].includes(protocol) || !right) && `${protocol} port ${port}`;
        }),
      ),
    ),
  },
  {
    id: "firewall-protocol",
    what: "A protocol is one that Google knows by name, or a number.",
    source: "docs",
    check: each(types.firewall, ({ inputs }) =>
      [...list(inputs.allows), ...list(inputs.denies)].map(
        ({ protocol }) => !/^(tcp|udp|icmp|esp|ah|sctp|ipip|all|\d{1,3})$/.test(protocol) && `protocol ${protocol}`,
      ),
    ),
  },
  {
    id: "firewall-ranges",
    what: "Ranges are ranges without host bits, all of IPv4 or all of IPv6.",
    source: "api",
    check: each(types.firewall, ({ inputs }) =>
      [inputs.sourceRanges, inputs.destinationRanges].flatMap((given) => {
        const ranges = list<string>(given);
        const mixed = new Set(ranges.map(isIpv6)).size > 1;
        return [mixed && "IPv4 and IPv6 together", ...ranges.map((range) => !isRange(range) && `range ${range}`)];
      }),
    ),
  },
  {
    id: "firewall-is-about-our-servers",
    what: "Every target of a rule is a tag of some server: else the rule is for nobody.",
    source: "ours",
    check: each(types.firewall, ({ inputs }, fleet) => {
      const tags = fleet.byType(types.instance).flatMap((vm) => list<string>(vm.inputs.tags));
      return list<string>(inputs.targetTags).map((tag) => !tags.includes(tag) && `no server has the tag ${tag}`);
    }),
  },
  {
    id: "ssh-is-not-for-everybody",
    what: "SSH is open to the sources that were named, to everybody only where that was asked for.",
    source: "ours",
    check: each(types.firewall, (rule, { told }) =>
      told.sshFromEverywhere !== true &&
      isIngress(rule) &&
      allowsPort(rule, 22) &&
      list<string>(rule.inputs.sourceRanges).map((range) => range.endsWith("/0") && `SSH from ${range}`),
    ), // prettier-ignore
  },
  {
    id: "nothing-but-ssh-is-for-everybody",
    what: "No other port than that of SSH is open to everybody.",
    source: "ours",
    check: each(types.firewall, (rule) =>
      isIngress(rule) &&
      list<string>(rule.inputs.sourceRanges).some((range) => range.endsWith("/0")) &&
      list(rule.inputs.allows).some(({ protocol, ports }) => protocol !== "tcp" || String(list(ports)) !== "22") &&
      "opens more than SSH to everybody",
    ), // prettier-ignore
  },
  {
    id: "health-checks-come-through",
    what: "Behind a balancer, every server admits Google's health checks from all of their ranges.",
    source: "docs",
    check: each(types.instance, (vm, fleet) => {
      const port = healthPort(fleet);
      if (!fleet.hasBalancer() || port === undefined) return undefined;
      const admitted = probeRules(fleet)
        .filter((rule) => allowsPort(rule, port) && admits(rule, vm, fleet))
        .flatMap((rule) => list<string>(rule.inputs.sourceRanges));
      const missing = probeRanges.filter((range) => !admitted.includes(range));
      return missing.length > 0 && `health checks from ${missing.join(", ")} do not come through`;
    }),
  },
  {
    id: "health-checks-with-balancer-only",
    what: "Without a balancer nobody checks health from outside.",
    source: "ours",
    check: (fleet) =>
      fleet.hasBalancer()
        ? []
        : probeRules(fleet).map((resource) => ({ resource, message: "admits health checks; there is no balancer" })),
  },
];
