import { add, all, remove, set, setFirst, twin } from "../change";
import { types } from "../resource";
import type { Break } from "./break";

const group = "https://www.googleapis.com/compute/v1/projects/some-project/zones/us-central1-a/instanceGroups";
const backend = (values: Record<string, unknown>) => setFirst("ssh-backend", "backends", values);
const far = { region: "europe-west4" };

const balanced: Break[] = [
  { rule: "health-check-times", how: "waits longer than until the next", change: set("ssh-ready", { timeoutSec: 11 }) },
  {
    rule: "health-check-times",
    how: "an interval of 301 seconds",
    change: set("ssh-ready", { checkIntervalSec: 301 }),
  },
  { rule: "health-check-times", how: "a threshold of 0", change: set("ssh-ready", { healthyThreshold: 0 }) },
  { rule: "health-check-has-one-protocol", how: "two", change: set("ssh-ready", { tcpHealthCheck: { port: 8022 } }) },
  { rule: "health-check-target", how: "no port", change: set("ssh-ready", { httpHealthCheck: { port: undefined } }) },
  { rule: "health-check-target", how: "a path without a slash", change: set("ssh-ready", { httpHealthCheck: { requestPath: "readyz" } }) }, // prettier-ignore
  { rule: "readiness-is-not-asked-of-sshd", how: "port 22", change: all(set("ssh-ready", { httpHealthCheck: undefined, tcpHealthCheck: { port: 22 } }), set("allow-health", { allows: [{ protocol: "tcp", ports: ["22"] }] })) }, // prettier-ignore
  { rule: "backend-passes-packets", how: "the default scheme", change: set("ssh-backend", { loadBalancingScheme: undefined }) }, // prettier-ignore
  { rule: "backend-passes-packets", how: "HTTP", change: all(set("ssh-backend", { protocol: "HTTP" }), set("ssh-rule", { ipProtocol: "L3_DEFAULT" })) }, // prettier-ignore
  { rule: "backend-counts-connections", how: "the default mode", change: backend({ balancingMode: undefined }), at: "ssh-backend" }, // prettier-ignore
  { rule: "backend-has-no-capacity", how: "capacityScaler", change: backend({ capacityScaler: 1 }) },
  { rule: "backend-has-no-capacity", how: "maxConnections", change: backend({ maxConnections: 100 }) },
  { rule: "backend-has-no-foreign-settings", how: "portName", change: set("ssh-backend", { portName: "ssh" }) },
  { rule: "backend-affinity", how: "a cookie", change: set("ssh-backend", { sessionAffinity: "GENERATED_COOKIE" }) },
  { rule: "backend-draining", how: "3601", change: set("ssh-backend", { connectionDrainingTimeoutSec: 3601 }) },
  {
    rule: "failover-needs-a-spare",
    how: "none",
    change: set("ssh-backend", { failoverPolicy: { failoverRatio: 0.5 } }),
  },
  { rule: "backend-health-check", how: "none", change: set("ssh-backend", { healthChecks: undefined }) },
  { rule: "backend-health-check", how: "another region", change: set("ssh-ready", far), at: "ssh-backend" },
  { rule: "backend-group-is-a-link", how: "a name", change: backend({ group: "containarium-prod-ssh-group" }) },
  { rule: "backend-group-exists", how: "one that is not there", change: backend({ group: `${group}/other` }) },
  { rule: "backend-group-exists", how: "another region", change: backend({ group: `${group.replace("us-central1-a", "europe-west4-a")}/containarium-prod-ssh-group` }) }, // prettier-ignore
  { rule: "forwarding-ports", how: "none", change: set("ssh-rule", { ports: undefined }) },
  { rule: "forwarding-ports", how: "six", change: set("ssh-rule", { ports: ["22", "23", "24", "25", "26", "27"] }) },
  { rule: "forwarding-ports", how: "all of them too", change: set("ssh-rule", { allPorts: true }) },
  { rule: "forwarding-target", how: "none", change: set("ssh-rule", { backendService: undefined }) },
  { rule: "forwarding-target", how: "two", change: set("ssh-rule", { target: "pool" }) },
  { rule: "forwarding-target", how: "one that is not there", change: set("ssh-rule", { backendService: "other" }) },
  { rule: "forwarding-is-external", how: "a network", change: set("ssh-rule", { network: "containarium-prod" }) },
  { rule: "forwarding-is-external", how: "UDP to TCP", change: set("ssh-rule", { ipProtocol: "UDP" }) },
  { rule: "forwarding-is-external", how: "internal", change: set("ssh-rule", { loadBalancingScheme: "INTERNAL" }) },
  { rule: "forwarding-region", how: "another region", change: all(set("ssh-rule", far), set("ssh-address", far)) },
  { rule: "membership-is-in-one-zone", how: "another zone", change: set("jump-1-member", { zone: "us-central1-b" }) },
  { rule: "membership-joins-what-exists", how: "no such group", change: set("jump-1-member", { instanceGroup: "other" }) }, // prettier-ignore
  { rule: "membership-joins-what-exists", how: "no such server", change: twin("jump-1-member", "lost", { instance: "other" }) }, // prettier-ignore
  { rule: "one-group-per-server", how: "two", change: all(twin("jump-1-member", "second", { instanceGroup: "other" }), twin("ssh-group", "other-group", { name: "other" })) }, // prettier-ignore
  { rule: "group-network", how: "another network", change: set("ssh-group", { network: "default" }) },
  { rule: "group-lists-no-servers", how: "one", change: set("ssh-group", { instances: ["containarium-prod-jump-1"] }) },
  { rule: "every-server-is-balanced", how: "one is not", change: remove("jump-2-member"), at: "jump-2" },
  { rule: "every-server-is-balanced", how: "one that is to be passed by", change: set("jump-2", {}), told: { outOfBalancer: ["jump-2"] } }, // prettier-ignore
];

const starters: Break[] = [
  { rule: "spot-has-one-starter", how: "none", change: remove("jump-1-starter"), at: "jump-1" },
  {
    rule: "spot-has-one-starter",
    how: "two",
    change: twin("jump-1-starter", "again", { name: "again" }),
    at: "jump-1",
  },
  { rule: "spot-has-one-starter", how: "a regular server has one", change: set("jump-1", { scheduling: { provisioningModel: "STANDARD", preemptible: undefined, instanceTerminationAction: undefined } }) }, // prettier-ignore
  { rule: "starter-calls-a-server", how: "nobody's", change: twin("jump-1-starter", "lost", { name: "lost", httpTarget: { uri: "https://compute.googleapis.com/compute/v1/projects/some-project/zones/us-central1-a/instances/other/start" } }) }, // prettier-ignore
  { rule: "starter-calls-a-server", how: "GET", change: set("jump-1-starter", { httpTarget: { httpMethod: "GET" } }) },
  {
    rule: "starter-shows-a-token",
    how: "none",
    change: set("jump-1-starter", { httpTarget: { oauthToken: undefined } }),
  },
  { rule: "starter-shows-a-token", how: "OIDC", change: set("jump-1-starter", { httpTarget: { oidcToken: {} } }) },
  { rule: "starter-schedule", how: "six fields", change: set("jump-1-starter", { schedule: "0 * * * * *" }) },
  { rule: "starter-schedule", how: "none", change: set("jump-1-starter", { schedule: undefined }) },
  { rule: "starter-deadline", how: "10 seconds", change: set("jump-1-starter", { attemptDeadline: "10s" }) },
  { rule: "starter-deadline", how: "minutes", change: set("jump-1-starter", { attemptDeadline: "1m" }) },
  { rule: "starter-region", how: "another region", change: set("jump-1-starter", far) },
  { rule: "starter-may-start", how: "no grant", change: remove("jump-1-may-start"), at: "jump-1-starter" },
  { rule: "starter-may-start", how: "a role that is not there", change: set("jump-1-may-start", { role: "projects/p/roles/other" }), at: "jump-1-starter" }, // prettier-ignore
  { rule: "role-starts-and-no-more", how: "stops too", change: set("starter-role", { permissions: ["compute.instances.start", "compute.instances.stop"] }) }, // prettier-ignore
  { rule: "member-form", how: "an account of nobody", change: twin("jump-1-may-start", "stranger", { member: "serviceAccount:other@some-project.iam.gserviceaccount.com" }) }, // prettier-ignore
  { rule: "member-form", how: "another zone", change: set("jump-1-may-start", { zone: "us-central1-b" }) },
];

/** A managed group as it would have to be. */
const manager = (inputs: Record<string, unknown>) =>
  add({
    type: types.groupManager,
    name: "manager",
    inputs: {
      name: "manager",
      baseInstanceName: "jump",
      updatePolicy: { replacementMethod: "RECREATE", maxSurgeFixed: 0, maxUnavailableFixed: 1 },
      autoHealingPolicies: { initialDelaySec: 900 },
      ...inputs,
    },
  });

const config = (inputs: Record<string, unknown>) =>
  add({
    type: types.perInstanceConfig,
    name: "config",
    inputs: { instanceGroupManager: "manager", removeInstanceOnDestroy: true, ...inputs },
  });

const twoOf = (deviceName: string) => ({ preservedState: { disks: [{ deviceName }, { deviceName }] } });

const managed: Break[] = [
  { rule: "group-manager-base-name", how: "59 characters", change: manager({ baseInstanceName: "x".repeat(59) }) },
  { rule: "template-name-prefix", how: "38 characters", change: add({ type: types.template, name: "template", inputs: { namePrefix: "x".repeat(38) } }) }, // prettier-ignore
  { rule: "stateful-group-has-no-size", how: "three", change: manager({ targetSize: 3 }) },
  { rule: "stateful-group-has-no-size", how: "an autoscaler", change: all(manager({}), add({ type: types.autoscaler, name: "scaler", inputs: { target: "manager" } })) }, // prettier-ignore
  { rule: "stateful-group-recreates", how: "SUBSTITUTE", change: manager({ updatePolicy: { replacementMethod: "SUBSTITUTE", maxSurgeFixed: 0, maxUnavailableFixed: 1 } }) }, // prettier-ignore
  { rule: "stateful-group-recreates", how: "one more before", change: manager({ updatePolicy: { replacementMethod: "RECREATE", maxSurgeFixed: 1, maxUnavailableFixed: 1 } }) }, // prettier-ignore
  { rule: "auto-healing-delay", how: "3601", change: manager({ autoHealingPolicies: { initialDelaySec: 3601 } }) },
  { rule: "per-instance-config", how: "a link", change: config({ instanceGroupManager: "zones/z/instanceGroupManagers/x" }) }, // prettier-ignore
  { rule: "per-instance-config", how: "the server stays", change: config({ removeInstanceOnDestroy: undefined }) },
  { rule: "per-instance-config", how: "two disks of one name", change: config(twoOf("incus-data")) },
];

export const balancerBreaks: readonly Break[] = [...balanced, ...starters, ...managed];
