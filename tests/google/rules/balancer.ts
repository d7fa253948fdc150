import { between, list } from "../fleet";
import { nameOf, placeOf, regionOfZone, type Resource, types } from "../resource";
import { each, type Rule } from "../rule";

const protocols = ["grpcHealthCheck", "grpcTlsHealthCheck", "http2HealthCheck", "httpHealthCheck", "httpsHealthCheck", "sslHealthCheck", "tcpHealthCheck"]; // prettier-ignore
const affinities = ["NONE", "CLIENT_IP", "CLIENT_IP_PROTO", "CLIENT_IP_PORT_PROTO", "CLIENT_IP_NO_DESTINATION"];

/** What balancers that take connections apart know, and those that pass packets on refuse. */
const capacities = ["capacityScaler", "maxConnections", "maxConnectionsPerInstance", "maxConnectionsPerEndpoint", "maxRate", "maxRatePerInstance", "maxRatePerEndpoint", "maxUtilization"]; // prettier-ignore

const isUrl = (reference: unknown) => /^(https:\/\/www\.googleapis\.com\/compute\/v1\/)?projects\/[^/]+\/zones\/[^/]+\/instanceGroups\/[^/]+$/.test(String(reference)); // prettier-ignore

const memberships = (group: Resource, all: readonly Resource[]) =>
  all.filter(({ inputs }) => nameOf(inputs.instanceGroup) === group.inputs.name);

export const balancerRules: readonly Rule[] = [
  {
    id: "health-check-times",
    what: "A health check waits 1 to 300 seconds, no longer than until the next; its thresholds are 1 to 10.",
    source: "api",
    check: each(types.healthCheck, ({ inputs }) => {
      const { checkIntervalSec = 5, timeoutSec = 5, healthyThreshold = 2, unhealthyThreshold = 2 } = inputs;
      return [
        timeoutSec > checkIntervalSec && `timeoutSec ${timeoutSec} of ${checkIntervalSec}`,
        (!between(checkIntervalSec, 1, 300) || !between(timeoutSec, 1, 300)) && `every ${checkIntervalSec} s`,
        (!between(healthyThreshold, 1, 10) || !between(unhealthyThreshold, 1, 10)) && "thresholds",
      ];
    }),
  },
  {
    id: "health-check-has-one-protocol",
    what: "A health check has exactly one protocol.",
    source: "provider",
    check: each(types.healthCheck, ({ inputs }) => {
      const given = protocols.filter((protocol) => inputs[protocol] !== undefined);
      return given.length !== 1 && `${given.length} protocols`;
    }),
  },
  {
    id: "health-check-target",
    what: "A health check goes to a port, and to a path that begins with a slash.",
    source: "api",
    check: each(types.healthCheck, ({ inputs }) =>
      protocols
        .map((protocol) => inputs[protocol])
        .filter((target) => target !== undefined)
        .flatMap(({ port, requestPath = "/" }) => [
          !between(port, 1, 65535) && `port ${port}`,
          !String(requestPath).startsWith("/") && `requestPath ${requestPath}`,
        ]),
    ),
  },
  {
    id: "readiness-is-not-asked-of-sshd",
    what: "sshd answers before the data is there, and takes probes for attacks: readiness has a port of its own.",
    source: "ours",
    check: each(types.healthCheck, ({ inputs }) => protocols.some((protocol) => inputs[protocol]?.port === 22) && "asks port 22"), // prettier-ignore
  },
  {
    id: "backend-passes-packets",
    what: "The balancer is EXTERNAL, of TCP, and says so: neither is the default.",
    source: "provider",
    check: each(types.backend, ({ inputs }) => [
      inputs.loadBalancingScheme !== "EXTERNAL" && `loadBalancingScheme ${inputs.loadBalancingScheme}`,
      inputs.protocol !== "TCP" && `protocol ${inputs.protocol}`,
    ]),
  },
  {
    id: "backend-counts-connections",
    what: "A backend has balancingMode CONNECTION, written: the default is another one, and refused.",
    source: "provider",
    check: each(types.backend, ({ inputs }) => list(inputs.backends).map(({ balancingMode }) => balancingMode !== "CONNECTION" && `balancingMode ${balancingMode}`)), // prettier-ignore
  },
  {
    id: "backend-has-no-capacity",
    what: "A balancer that passes packets knows no capacities.",
    source: "provider",
    check: each(types.backend, ({ inputs }) =>
      list(inputs.backends).flatMap((backend) =>
        capacities.map((key) => backend[key] !== undefined && `${key} is set`),
      ),
    ),
  },
  {
    id: "backend-has-no-foreign-settings",
    what: "Named ports and high-availability policies are of other balancers.",
    source: "provider",
    check: each(types.backend, ({ inputs }) => ["portName", "haPolicy", "enableCdn", "iap"].map((key) => inputs[key] !== undefined && `${key} is set`)), // prettier-ignore
  },
  {
    id: "backend-affinity",
    what: "Clients are told apart by their addresses only.",
    source: "api",
    check: each(types.backend, ({ inputs: { sessionAffinity = "NONE" } }) => !affinities.includes(sessionAffinity) && `sessionAffinity ${sessionAffinity}`), // prettier-ignore
  },
  {
    id: "backend-draining",
    what: "Connections drain for 0 to 3600 seconds.",
    source: "api",
    check: each(types.backend, ({ inputs: { connectionDrainingTimeoutSec: limit } }) => limit !== undefined && !between(limit, 0, 3600) && `connectionDrainingTimeoutSec ${limit}`), // prettier-ignore
  },
  {
    id: "failover-needs-a-spare",
    what: "A failover policy needs a backend to fall over to.",
    source: "api",
    check: each(types.backend, ({ inputs }) => inputs.failoverPolicy !== undefined && !list(inputs.backends).some(({ failover }) => failover === true) && "failoverPolicy without a failover backend"), // prettier-ignore
  },
  {
    id: "backend-health-check",
    what: "A regional health check of its own region tells the balancer who is ready.",
    source: "provider",
    check: each(types.backend, ({ inputs }, fleet) => {
      const check = fleet.find(types.healthCheck, inputs.healthChecks);
      if (check === undefined) return `healthChecks ${inputs.healthChecks}`;
      return check.inputs.region !== inputs.region && `${check.inputs.name} is in ${check.inputs.region}`;
    }),
  },
  {
    id: "backend-group-is-a-link",
    what: "A group is named by its whole link.",
    source: "api",
    check: each(types.backend, ({ inputs }) =>
      list(inputs.backends).map(({ group }) => !isUrl(group) && `group ${group}`),
    ),
  },
  {
    id: "backend-group-exists",
    what: "A balancer's groups are there, and in its region.",
    source: "api",
    check: each(types.backend, ({ inputs }, fleet) =>
      list(inputs.backends).map(({ group }) => {
        const found = fleet.find(types.group, group) ?? fleet.find(types.groupManager, group);
        if (found === undefined) return `there is no group ${nameOf(group)}`;
        const zones = [found.inputs.zone, placeOf(group) ?? found.inputs.zone];
        return (
          zones.some((zone) => regionOfZone(zone) !== inputs.region) && `${nameOf(group)} is in ${found.inputs.zone}`
        );
      }),
    ),
  },
  {
    id: "forwarding-ports",
    what: "A forwarding rule has ports, at most five, or a range, or all of them.",
    source: "api",
    check: each(types.forwardingRule, ({ inputs }) => {
      const given = [list(inputs.ports).length > 0, inputs.portRange !== undefined, inputs.allPorts === true];
      return [
        given.filter(Boolean).length !== 1 && "must have one of ports, portRange and allPorts",
        list(inputs.ports).length > 5 && `${inputs.ports.length} ports`,
        ...list(inputs.ports).map((port) => !/^\d{1,5}$/.test(String(port)) && `port ${port}`),
      ];
    }),
  },
  {
    id: "forwarding-target",
    what: "A forwarding rule leads to a backend service that is there, or to a target.",
    source: "api",
    check: each(types.forwardingRule, ({ inputs }, fleet) => [
      (inputs.backendService === undefined) === (inputs.target === undefined) && "must have one of backendService and target", // prettier-ignore
      inputs.backendService !== undefined && fleet.find(types.backend, inputs.backendService) === undefined && `there is no ${inputs.backendService}`, // prettier-ignore
    ]),
  },
  {
    id: "forwarding-is-external",
    what: "An external forwarding rule is of no network, and of the scheme and protocol of its backend service.",
    source: "api",
    check: each(types.forwardingRule, ({ inputs }, fleet) => {
      const backend = fleet.find(types.backend, inputs.backendService)?.inputs;
      const { loadBalancingScheme = "EXTERNAL", ipProtocol = "TCP" } = inputs;
      return [
        loadBalancingScheme === "EXTERNAL" && (inputs.network ?? inputs.subnetwork) !== undefined && "has a network",
        loadBalancingScheme !== "EXTERNAL" && `loadBalancingScheme ${loadBalancingScheme}`,
        backend !== undefined && ipProtocol !== backend.protocol && ipProtocol !== "L3_DEFAULT" && `${ipProtocol} to ${backend.protocol}`, // prettier-ignore
      ];
    }),
  },
  {
    id: "forwarding-region",
    what: "A forwarding rule is in the region of its backend service.",
    source: "api",
    check: each(types.forwardingRule, ({ inputs }, fleet) => {
      const backend = fleet.find(types.backend, inputs.backendService);
      return backend !== undefined && backend.inputs.region !== inputs.region && `${backend.inputs.name} is in ${backend.inputs.region}`; // prettier-ignore
    }),
  },
  {
    id: "membership-is-in-one-zone",
    what: "A group, its members and the memberships are in one zone.",
    source: "api",
    check: each(types.membership, ({ inputs }, fleet) => {
      const [group, vm] = [fleet.find(types.group, inputs.instanceGroup), fleet.find(types.instance, inputs.instance)];
      return [group, vm].map((one) => one !== undefined && one.inputs.zone !== inputs.zone && `${one.inputs.name} is in ${one.inputs.zone}`); // prettier-ignore
    }),
  },
  {
    id: "membership-joins-what-exists",
    what: "A membership is of a server and of a group of ours.",
    source: "api",
    check: each(types.membership, ({ inputs }, fleet) => [
      fleet.find(types.group, inputs.instanceGroup) === undefined && `there is no group ${inputs.instanceGroup}`,
      fleet.find(types.instance, inputs.instance) === undefined && `there is no server ${inputs.instance}`,
    ]),
  },
  {
    id: "one-group-per-server",
    what: "A server is in one balanced group, once.",
    source: "memory",
    check: each(types.membership, (membership, fleet) => {
      const first = fleet.byType(types.membership).find(({ inputs }) => nameOf(inputs.instance) === nameOf(membership.inputs.instance)); // prettier-ignore
      return (
        first !== membership && `${nameOf(membership.inputs.instance)} is in ${nameOf(first?.inputs.instanceGroup)}`
      );
    }),
  },
  {
    id: "group-network",
    what: "A group is of the network of its servers.",
    source: "api",
    check: each(
      types.group,
      (group, fleet) =>
      memberships(group, fleet.byType(types.membership))
        .map(({ inputs }) => fleet.find(types.instance, inputs.instance))
        .map((vm) => vm !== undefined && group.inputs.network !== undefined && nameOf(group.inputs.network) !== fleet.networkOf(vm) && `${vm.name} is in ${fleet.networkOf(vm)}`), // prettier-ignore
    ),
  },
  {
    id: "group-lists-no-servers",
    what: "Members of a group join by memberships; a list at the group would undo them.",
    source: "provider",
    check: each(types.group, ({ inputs }) => inputs.instances !== undefined && "instances is set"),
  },
  {
    id: "every-server-is-balanced",
    what: "Behind a balancer every server is a member of a group, but those that it is told to pass by.",
    source: "ours",
    check: each(types.instance, (vm, fleet) => {
      const isMember = fleet.byType(types.membership).some(({ inputs }) => nameOf(inputs.instance) === vm.inputs.name);
      const isWanted = fleet.hasBalancer() && fleet.told.outOfBalancer?.includes(vm.name) !== true;
      return isMember !== isWanted && (isMember ? "is in a group" : "is in no group");
    }),
  },
];
