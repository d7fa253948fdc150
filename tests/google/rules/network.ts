import { isPrivate, parseCidr } from "../../../components/cidr";
import { between, contains, nic, overlapping } from "../fleet";
import { nameOf, regionOfZone, type Resource, types } from "../resource";
import { each, type Rule } from "../rule";

/** Where containers are, server by server: no subnet may reach into it. */
const containers = "10.0.0.0/16";
const hops = ["nextHopGateway", "nextHopIlb", "nextHopInstance", "nextHopIp", "nextHopVpnTunnel"];

const others = (all: readonly Resource[], one: Resource) => all.slice(0, all.indexOf(one));

export const networkRules: readonly Rule[] = [
  {
    id: "network-mtu",
    what: "A network's MTU is 1300 to 8896.",
    source: "api",
    check: each(types.network, ({ inputs: { mtu } }) => mtu !== undefined && !between(mtu, 1300, 8896) && `mtu ${mtu}`),
  },
  {
    id: "network-has-our-subnets-only",
    what: "The network gets no subnet of its own accord.",
    source: "ours",
    check: each(types.network, ({ inputs }) => inputs.autoCreateSubnetworks !== false && "autoCreateSubnetworks is not false"), // prettier-ignore
  },
  {
    id: "subnet-range",
    what: "A subnet is a private range, /29 or larger, without host bits.",
    source: "api",
    check: each(types.subnet, ({ inputs: { ipCidrRange } }) => {
      const range = parseCidr(ipCidrRange ?? "");
      return (range === undefined || range.prefix > 29 || !isPrivate(range)) && `ipCidrRange ${ipCidrRange}`;
    }),
  },
  {
    id: "subnets-are-apart",
    what: "Subnets of a network do not overlap.",
    source: "api",
    check: each(types.subnet, (subnet, fleet) =>
      others(fleet.byType(types.subnet), subnet)
        .filter(({ inputs }) => nameOf(inputs.network) === nameOf(subnet.inputs.network))
        .map(({ name, inputs }) => overlapping(inputs.ipCidrRange, subnet.inputs.ipCidrRange) && `overlaps ${name}`),
    ),
  },
  {
    id: "subnet-leaves-room-for-containers",
    what: "The servers' subnet is not where the containers are.",
    source: "ours",
    check: each(types.subnet, ({ inputs }) => overlapping(inputs.ipCidrRange, containers) && `${inputs.ipCidrRange} overlaps ${containers}`), // prettier-ignore
  },
  {
    id: "subnet-region",
    what: "A server's subnet is in its region.",
    source: "api",
    check: each(types.instance, (vm, fleet) => {
      const subnet = fleet.subnetOf(vm);
      return subnet !== undefined && subnet.inputs.region !== regionOfZone(vm.inputs.zone) && `${subnet.inputs.name} is in ${subnet.inputs.region}`; // prettier-ignore
    }),
  },
  {
    id: "server-is-in-our-subnet",
    what: "A server's interface is in a subnet of the fleet.",
    source: "ours",
    check: each(types.instance, (vm, fleet) => fleet.subnetOf(vm) === undefined && `subnetwork ${nic(vm).subnetwork}`),
  },
  {
    id: "server-address-in-subnet",
    what: "A server's internal address is in the subnet of its interface.",
    source: "api",
    check: each(types.instance, (vm, fleet) => {
      const range = parseCidr(fleet.subnetOf(vm)?.inputs.ipCidrRange ?? "");
      return range !== undefined && !contains(range, nic(vm).networkIp) && `networkIp ${nic(vm).networkIp}`;
    }),
  },
  {
    id: "route-range",
    what: "A route's range has no host bits.",
    source: "api",
    check: each(types.route, ({ inputs }) => parseCidr(inputs.destRange ?? "") === undefined && `destRange ${inputs.destRange}`), // prettier-ignore
  },
  {
    id: "route-avoids-subnets",
    what: "A route's range overlaps no subnet of its network.",
    source: "docs",
    check: each(
      types.route,
      ({ inputs }, fleet) =>
      fleet
        .byType(types.subnet)
        .filter((subnet) => nameOf(subnet.inputs.network) === nameOf(inputs.network))
        .map((subnet) => overlapping(subnet.inputs.ipCidrRange, inputs.destRange) && `${inputs.destRange} overlaps ${subnet.inputs.name}`), // prettier-ignore
    ),
  },
  {
    id: "routes-are-apart",
    what: "No two routes lead to the same containers.",
    source: "ours",
    check: each(
      types.route,
      (route, fleet) =>
      others(fleet.byType(types.route), route)
        .filter(({ inputs }) => nameOf(inputs.network) === nameOf(route.inputs.network))
        .map(({ name, inputs }) => overlapping(inputs.destRange, route.inputs.destRange) && `${route.inputs.destRange} is ${name}'s`), // prettier-ignore
    ),
  },
  {
    id: "route-has-one-hop",
    what: "A route has exactly one next hop.",
    source: "api",
    check: each(types.route, ({ inputs }) => {
      const given = hops.filter((hop) => inputs[hop] !== undefined);
      return given.length !== 1 && `${given.length} next hops`;
    }),
  },
  {
    id: "route-priority",
    what: "A route's priority is 0 to 65535.",
    source: "api",
    check: each(types.route, ({ inputs: { priority } }) => priority !== undefined && !between(priority, 0, 65535) && `priority ${priority}`), // prettier-ignore
  },
  {
    id: "route-leads-to-a-server",
    what: "A route's next hop is the internal address of a server in its network.",
    source: "docs",
    check: each(types.route, ({ inputs }, fleet) => {
      if (inputs.nextHopIp === undefined) return undefined;
      const vm = fleet.byType(types.instance).find((one) => nic(one).networkIp === inputs.nextHopIp);
      if (vm === undefined) return `${inputs.nextHopIp} is no server's`;
      return fleet.networkOf(vm) !== nameOf(inputs.network) && `${vm.name} is in another network`;
    }),
  },
  {
    id: "route-server-forwards",
    what: "A server that routes lead to forwards packets.",
    source: "api",
    check: each(types.instance, (vm, fleet) =>
      vm.inputs.canIpForward !== true &&
      fleet.byType(types.route).some(({ inputs }) => inputs.nextHopIp === nic(vm).networkIp) &&
      "canIpForward is not set",
    ), // prettier-ignore
  },
  {
    id: "server-has-a-route",
    what: "A route leads to every server.",
    source: "ours",
    check: each(types.instance, (vm, fleet) => !fleet.byType(types.route).some(({ inputs }) => inputs.nextHopIp === nic(vm).networkIp) && "no route leads to it"), // prettier-ignore
  },
];
