import { parseCidr, sizeOf } from "../../../components/cidr";
import { contains, list, natIp, nic } from "../fleet";
import { nameOf, regionOfZone, type Resource, types } from "../resource";
import { each, type Rule } from "../rule";

const isInternal = ({ inputs }: Resource) => inputs.addressType === "INTERNAL";

/** Whether the reference, an address or a self link or a name, means this one. */
function means(reference: unknown, { inputs, outputs }: Resource): boolean {
  if (typeof reference !== "string") return false;
  return reference === (inputs.address ?? outputs?.address) || nameOf(reference) === inputs.name;
}

const regionOf = ({ inputs }: Resource) => inputs.region ?? regionOfZone(inputs.zone);

/** Where a server or a forwarding rule is reached from outside. */
const outside = (user: Resource) => (user.type === types.instance ? natIp(user) : user.inputs.ipAddress);

export const addressRules: readonly Rule[] = [
  {
    id: "address-region",
    what: "The addresses of a server, or a forwarding rule, are in its region.",
    source: "api",
    check: each([types.instance, types.forwardingRule], (user, fleet) =>
      fleet
        .byType(types.address)
        .filter((address) => [outside(user), nic(user).networkIp].some((used) => means(used, address)))
        .map(({ inputs }) => inputs.region !== regionOf(user) && `${inputs.name} is in ${inputs.region}`),
    ),
  },
  {
    id: "external-address-used-once",
    what: "An external address belongs to one server, or to one forwarding rule.",
    source: "api",
    check: each([types.instance, types.forwardingRule], (user, fleet) => {
      const users = [...fleet.byType(types.instance), ...fleet.byType(types.forwardingRule)];
      const first = users.find((other) => outside(other) === outside(user));
      return outside(user) !== undefined && first !== user && `${outside(user)} is ${first?.name}'s`;
    }),
  },
  {
    id: "internal-address-used-once",
    what: "No two servers have one internal address.",
    source: "api",
    check: each(types.instance, (vm, fleet) => {
      const first = fleet.byType(types.instance).find((other) => nic(other).networkIp === nic(vm).networkIp);
      return nic(vm).networkIp !== undefined && first !== vm && `${nic(vm).networkIp} is ${first?.name}'s`;
    }),
  },
  {
    id: "internal-address-is-reserved",
    what: "A server's internal address is a reserved one: it stays when the server is made anew.",
    source: "ours",
    check: each(types.instance, (vm, fleet) => {
      const reserved = fleet.byType(types.address).filter(isInternal);
      const used = nic(vm).networkIp;
      return !reserved.some((address) => means(used, address)) && `${used} is reserved by nobody`;
    }),
  },
  {
    id: "external-address-is-external",
    what: "What is reached from outside is not given an internal address.",
    source: "api",
    check: each([types.instance, types.forwardingRule], (user, fleet) => {
      const internal = fleet.byType(types.address).find((address) => isInternal(address) && means(outside(user), address)); // prettier-ignore
      return internal !== undefined && `${internal.inputs.name} is internal`;
    }),
  },
  {
    id: "external-address-is-reserved",
    what: "What is reached from outside has a reserved address: it stays when the thing is made anew.",
    source: "ours",
    check: each([types.instance, types.forwardingRule], (user, fleet) =>
      !fleet.byType(types.address).some((address) => means(outside(user), address)) && `${outside(user)} is reserved by nobody`,
    ), // prettier-ignore
  },
  {
    id: "network-tier",
    what: "An address is of the network tier of what uses it.",
    source: "api",
    check: each([types.instance, types.forwardingRule], (user, fleet) => {
      const used = fleet.byType(types.address).find((address) => means(outside(user), address));
      const [mine = "PREMIUM", its = "PREMIUM"] = [
        user.type === types.instance ? list(nic(user).accessConfigs)[0]?.networkTier : user.inputs.networkTier,
        used?.inputs.networkTier,
      ];
      return used !== undefined && !isInternal(used) && mine !== its && `${used.inputs.name} is ${its}, not ${mine}`;
    }),
  },
  {
    id: "internal-address-form",
    what: "An internal address names its subnet and has the purpose GCE_ENDPOINT.",
    source: "api",
    check: each(types.address, (address) =>
      isInternal(address)
        ? [
            address.inputs.subnetwork === undefined && "has no subnetwork",
            (address.inputs.purpose ?? "GCE_ENDPOINT") !== "GCE_ENDPOINT" && `purpose ${address.inputs.purpose}`,
          ]
        : address.inputs.subnetwork !== undefined && "is external and has a subnetwork",
    ),
  },
  {
    id: "internal-address-in-subnet",
    what: "An internal address is in its subnet, and not among the first two or the last two.",
    source: "memory",
    check: each(types.address, ({ inputs }, fleet) => {
      const range = parseCidr(fleet.find(types.subnet, inputs.subnetwork)?.inputs.ipCidrRange ?? "");
      if (inputs.address === undefined || range === undefined) return undefined;
      const free = { base: range.base + 2, prefix: range.prefix };
      const last = { base: range.base + sizeOf(range.prefix) - 2, prefix: 31 };
      return (
        (!contains(range, inputs.address) || !contains(free, inputs.address) || contains(last, inputs.address)) &&
        `${inputs.address} in ${inputs.subnetwork}`
      );
    }),
  },
  {
    id: "internal-address-has-no-tier",
    what: "Internal addresses have no network tier.",
    source: "api",
    check: each(types.address, (address) => isInternal(address) && address.inputs.networkTier !== undefined && "is internal and has a networkTier"), // prettier-ignore
  },
];
