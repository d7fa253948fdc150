import { fleetNames } from "../../components/naming";
import { type Resource, types } from "./resource";
import { probeRanges } from "./rules/firewalls";

const project = "some-project";
const region = "us-central1";
const zone = "us-central1-a";
const link = (path: string) => `https://www.googleapis.com/compute/v1/projects/${project}/${path}`;
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

const spot = {
  provisioningModel: "SPOT",
  preemptible: true,
  automaticRestart: false,
  onHostMaintenance: "TERMINATE",
  instanceTerminationAction: "STOP",
};

/** A fleet that Google would take, written out by hand: what the rules must let through. */
export interface FleetSpec {
  stack: string;
  servers: number[];
  spot: boolean;
  balancer: boolean;
}

export const devFleet = () => fleetOf({ stack: "dev", servers: [1], spot: true, balancer: false });
export const prodFleet = () => fleetOf({ stack: "prod", servers: [1, 2, 4], spot: true, balancer: true });
export const regularFleet = () => fleetOf({ stack: "slow", servers: [1, 2], spot: false, balancer: false });

export function fleetOf(spec: FleetSpec): Resource[] {
  return [
    ...common(spec),
    ...spec.servers.flatMap((id) => [...server(spec, id), ...(spec.spot ? starter(spec, id) : [])]),
    ...(spec.balancer ? balancer(spec) : []),
  ];
}

function common({ stack, spot: isSpot, balancer: isBalanced }: FleetSpec): Resource[] {
  const names = fleetNames(stack);
  const network = link(`global/networks/${names.network}`);
  const inwards = (purpose: "ssh" | "fleet" | "health", ports: string[], sources: object): Resource => ({
    type: types.firewall,
    name: `allow-${purpose}`,
    inputs: {
      name: names.firewall(purpose),
      network,
      direction: "INGRESS",
      allows: [{ protocol: "tcp", ports }],
      targetTags: [names.fleet],
      ...sources,
    },
  });
  return [
    { type: types.network, name: "network", inputs: { name: names.network, autoCreateSubnetworks: false, mtu: 1460 } },
    {
      type: types.subnet,
      name: "subnet",
      inputs: { name: names.subnet, network, region, ipCidrRange: "10.64.0.0/24" },
    },
    inwards("ssh", ["22"], { sourceRanges: ["203.0.113.0/24"] }),
    inwards("fleet", ["22", "8022"], { sourceTags: [names.fleet] }),
    ...(isBalanced ? [inwards("health", ["8022"], { sourceRanges: [...probeRanges] })] : []),
    {
      type: types.policy,
      name: "daily",
      inputs: {
        name: policyName(stack),
        region,
        snapshotSchedulePolicy: {
          schedule: { dailySchedule: { daysInCycle: 1, startTime: "04:00" } },
          retentionPolicy: { maxRetentionDays: 30, onSourceDiskDelete: "KEEP_AUTO_SNAPSHOTS" },
          snapshotProperties: { storageLocations: region, labels: { fleet: names.fleet }, guestFlush: false },
        },
      },
    },
    ...(isSpot
      ? [
          { type: types.account, name: "starter", inputs: { accountId: names.starterAccount } },
          {
            type: types.role,
            name: "starter-role",
            inputs: { roleId: names.starterRole, title: "Start servers", permissions: ["compute.instances.start"] },
          },
        ]
      : []),
  ];
}

function server({ stack, spot: isSpot }: FleetSpec, id: number): Resource[] {
  const names = fleetNames(stack);
  const own = names.server(id);
  const [external, internal] = [`203.0.113.${id}`, `10.64.0.${10 + id}`];
  const subnetwork = link(`regions/${region}/subnetworks/${names.subnet}`);
  const network = link(`global/networks/${names.network}`);
  return [
    {
      type: types.address,
      name: `jump-${id}-ext`,
      inputs: { name: own.externalAddress, region, addressType: "EXTERNAL", networkTier: "PREMIUM" },
      outputs: { address: external },
    },
    {
      type: types.address,
      name: `jump-${id}-int`,
      inputs: {
        name: own.internalAddress,
        region,
        addressType: "INTERNAL",
        purpose: "GCE_ENDPOINT",
        subnetwork,
        address: internal,
      },
    },
    {
      type: types.disk,
      name: `jump-${id}-data`,
      inputs: {
        name: own.dataDisk(1),
        zone,
        size: 100,
        type: "pd-balanced",
        physicalBlockSizeBytes: 4096,
        labels: { fleet: names.fleet },
      },
      options: { retainOnDelete: true },
    },
    {
      type: types.policyAttachment,
      name: `jump-${id}-data-snapshots`,
      inputs: { name: policyName(stack), disk: own.dataDisk(1), zone },
    },
    {
      type: types.instance,
      name: `jump-${id}`,
      inputs: {
        name: own.instance,
        zone,
        machineType: "n2-standard-8",
        allowStoppingForUpdate: true,
        canIpForward: true,
        tags: [names.fleet],
        labels: { fleet: names.fleet },
        bootDisk: { initializeParams: { image: "projects/debian-cloud/global/images/family/debian-13", size: 20, type: "pd-balanced" } }, // prettier-ignore
        attachedDisks: [{ source: link(`zones/${zone}/disks/${own.dataDisk(1)}`), deviceName: "incus-data", mode: "READ_WRITE" }], // prettier-ignore
        networkInterfaces: [{ subnetwork, networkIp: internal, accessConfigs: [{ natIp: external, networkTier: "PREMIUM" }] }], // prettier-ignore
        metadata: {
          "startup-script": "#!/bin/bash\n",
          "block-project-ssh-keys": "TRUE",
          "enable-oslogin": "FALSE",
          "enable-guest-attributes": "TRUE",
          "ssh-keys": `admin:${key} admin`,
        },
        shieldedInstanceConfig: { enableVtpm: true, enableIntegrityMonitoring: true, enableSecureBoot: false },
        ...(isSpot ? { scheduling: { ...spot } } : { scheduling: { provisioningModel: "STANDARD", automaticRestart: true } }),
      },
      options: { deleteBeforeReplace: true },
    }, // prettier-ignore
    {
      type: types.route,
      name: `jump-${id}-route`,
      inputs: { name: own.route, network, destRange: `10.0.${2 + id}.0/24`, nextHopIp: internal, priority: 900 },
    },
  ];
}

function starter({ stack }: FleetSpec, id: number): Resource[] {
  const names = fleetNames(stack);
  const { instance, starter: job } = names.server(id);
  const email = `${names.starterAccount}@${project}.iam.gserviceaccount.com`;
  const uri = `https://compute.googleapis.com/compute/v1/projects/${project}/zones/${zone}/instances/${instance}/start`;
  return [
    {
      type: types.job,
      name: `jump-${id}-starter`,
      inputs: {
        name: job,
        region,
        schedule: "* * * * *",
        timeZone: "Etc/UTC",
        attemptDeadline: "30s",
        retryConfig: { retryCount: 0 },
        httpTarget: {
          httpMethod: "POST",
          uri,
          oauthToken: { serviceAccountEmail: email, scope: "https://www.googleapis.com/auth/compute" },
        },
      },
    },
    {
      type: types.instanceMember,
      name: `jump-${id}-may-start`,
      inputs: {
        instanceName: instance,
        zone,
        role: `projects/${project}/roles/${names.starterRole}`,
        member: `serviceAccount:${email}`,
      },
      options: { replaceWith: [urnOfServer(stack, id)] },
    },
  ];
}

function balancer({ stack, servers }: FleetSpec): Resource[] {
  const names = fleetNames(stack);
  const group = link(`zones/${zone}/instanceGroups/${names.balancer("group")}`);
  const regional = (kind: string, name: string) => link(`regions/${region}/${kind}/${name}`);
  return [
    {
      type: types.address,
      name: "ssh-address",
      inputs: { name: names.balancer("address"), region, addressType: "EXTERNAL", networkTier: "PREMIUM" },
      outputs: { address: "203.0.113.250" },
    },
    {
      type: types.group,
      name: "ssh-group",
      inputs: { name: names.balancer("group"), zone, network: link(`global/networks/${names.network}`) },
    },
    ...servers.map((id) => ({
      type: types.membership,
      name: `jump-${id}-member`,
      inputs: {
        zone,
        instanceGroup: names.balancer("group"),
        instance: link(`zones/${zone}/instances/${names.server(id).instance}`),
      },
      options: { replaceWith: [urnOfServer(stack, id)] },
    })),
    {
      type: types.healthCheck,
      name: "ssh-ready",
      inputs: {
        name: names.balancer("ready"),
        region,
        checkIntervalSec: 10,
        timeoutSec: 5,
        healthyThreshold: 2,
        unhealthyThreshold: 3,
        httpHealthCheck: { port: 8022, requestPath: "/readyz" },
      },
    },
    {
      type: types.backend,
      name: "ssh-backend",
      inputs: {
        name: names.balancer("backend"),
        region,
        loadBalancingScheme: "EXTERNAL",
        protocol: "TCP",
        healthChecks: regional("healthChecks", names.balancer("ready")),
        sessionAffinity: "CLIENT_IP",
        connectionDrainingTimeoutSec: 300,
        connectionTrackingPolicy: {
          trackingMode: "PER_CONNECTION",
          connectionPersistenceOnUnhealthyBackends: "DEFAULT_FOR_PROTOCOL",
        },
        backends: [{ group, balancingMode: "CONNECTION" }],
      },
    },
    {
      type: types.forwardingRule,
      name: "ssh-rule",
      inputs: {
        name: names.balancer("rule"),
        region,
        loadBalancingScheme: "EXTERNAL",
        ipProtocol: "TCP",
        ports: ["22"],
        ipAddress: "203.0.113.250",
        networkTier: "PREMIUM",
        backendService: regional("backendServices", names.balancer("backend")),
      },
    },
  ];
}

function urnOfServer(stack: string, id: number): string {
  return `urn:pulumi:${stack}::containarium::${types.instance}::jump-${id}`;
}

function policyName(stack: string): string {
  return fleetNames(stack).snapshotPolicy({ startTime: "04:00", retentionDays: 30 });
}
