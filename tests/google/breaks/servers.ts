import { add, option, set, setFirst, twin } from "../change";
import { types } from "../resource";
import type { Break } from "./break";

const long = (length: number) => "x".repeat(length);
const many = (count: number) => Array.from({ length: count }, (_, index) => `tag-${index}`);
const metadata = (values: Record<string, unknown>) => set("jump-1", { metadata: values });
const scheduling = (values: Record<string, unknown>) => set("jump-1", { scheduling: values });
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB";

/** Two disks of one device name at a server: one more, read only, so that nothing else is wrong with it. */
const sameDevice = { attachedDisks: [{ deviceName: "incus-data", source: "prod-spare", mode: "READ_ONLY" }] };

const names: Break[] = [
  { rule: "name-is-explicit", how: "a firewall of the engine's naming", change: set("allow-ssh", { name: undefined }) },
  { rule: "name-form", how: "a capital", change: set("allow-ssh", { name: "Allow-ssh" }) },
  { rule: "name-form", how: "a dash at the end", change: set("allow-ssh", { name: "allow-" }) },
  { rule: "name-form", how: "64 characters", change: set("allow-ssh", { name: long(64) }) },
  { rule: "name-is-free", how: "two firewalls of one name", change: twin("allow-ssh", "again") },
  { rule: "job-name-form", how: "a dot", change: set("jump-1-starter", { name: "a.b" }) },
  { rule: "account-id-form", how: "31 characters", change: add({ type: types.account, name: "long", inputs: { accountId: long(31) } }) }, // prettier-ignore
  { rule: "account-id-form", how: "5 characters", change: add({ type: types.account, name: "short", inputs: { accountId: long(5) } }) }, // prettier-ignore
  { rule: "role-id-form", how: "a dash", change: add({ type: types.role, name: "dashed", inputs: { roleId: "a-role", permissions: ["compute.instances.start"] } }) }, // prettier-ignore
  { rule: "label-form", how: "a capital in the value", change: set("jump-1-data", { labels: { fleet: "Prod" } }) },
  { rule: "label-form", how: "a key that begins with a digit", change: set("jump-1", { labels: { "1st": "x" } }) },
  { rule: "label-form", how: "65 labels", change: set("jump-1-data", { labels: Object.fromEntries(many(64).map((tag) => [tag, "x"])) }) }, // prettier-ignore
  { rule: "tag-form", how: "an underscore", change: set("jump-1", { tags: ["containarium-prod", "a_b"] }) },
  { rule: "tag-count", how: "65 tags", change: set("jump-1", { tags: ["containarium-prod", ...many(64)] }) },
  { rule: "tag-count", how: "31 source tags", change: set("allow-fleet", { sourceTags: many(31) }) },
  { rule: "description-length", how: "2049 characters", change: set("network", { description: long(2049) }) },
  { rule: "hostname-form", how: "no domain", change: set("jump-1", { hostname: "jump" }) },
  { rule: "device-name-form", how: "none", change: setFirst("jump-1", "attachedDisks", { deviceName: undefined }) },
  { rule: "device-name-is-free", how: "the boot disk's", change: set("jump-1", { bootDisk: { deviceName: "incus-data" } }) }, // prettier-ignore
  { rule: "device-name-is-free", how: "another data disk's", change: { at: "jump-1", apply: (fleet) => fleet.map((one) => (one.name === "jump-1" ? { ...one, inputs: { ...one.inputs, attachedDisks: [...one.inputs.attachedDisks, ...sameDevice.attachedDisks] } } : one)) } }, // prettier-ignore
];

const texts: Break[] = [
  { rule: "metadata-key-form", how: "a dot", change: metadata({ "a.b": "x" }) },
  { rule: "metadata-value-size", how: "256 KiB and a byte", change: metadata({ big: long(262145) }) },
  { rule: "metadata-value-size", how: "as many bytes in fewer characters", change: metadata({ big: "é".repeat(131073) }) }, // prettier-ignore
  { rule: "metadata-total-size", how: "three of 200 KiB", change: metadata({ a: long(204800), b: long(204800), c: long(204800) }) }, // prettier-ignore
  { rule: "metadata-is-text", how: "a number", change: metadata({ port: 22 }) },
  { rule: "metadata-is-text", how: "a switch in small letters", change: metadata({ "enable-oslogin": "false" }) },
  { rule: "startup-script-in-metadata", how: "metadataStartupScript", change: set("jump-1", { metadataStartupScript: "#!/bin/sh" }) }, // prettier-ignore
  { rule: "project-keys-are-blocked", how: "FALSE", change: metadata({ "block-project-ssh-keys": "FALSE" }) },
  { rule: "project-keys-are-blocked", how: "nothing said", change: metadata({ "block-project-ssh-keys": undefined }) },
  { rule: "guest-attributes-are-on", how: "nothing said", change: metadata({ "enable-guest-attributes": undefined }) },
  { rule: "ssh-keys-form", how: "no user", change: metadata({ "ssh-keys": key }) },
  { rule: "ssh-keys-form", how: "an empty line", change: metadata({ "ssh-keys": `admin:${key}\n\nroot:${key}` }) },
  { rule: "admin-is-no-jump-user", how: "alice is both", change: metadata({ "ssh-keys": `admin:${key}\nalice:${key}` }), told: { jumpUsers: ["alice", "bob"] } }, // prettier-ignore
  { rule: "metadata-has-no-secret", how: "a private key", change: metadata({ note: "-----BEGIN OPENSSH PRIVATE KEY-----\n" }) }, // prettier-ignore
  { rule: "metadata-has-no-secret", how: "a key file of a service account", change: metadata({ note: '{"private_key": "x"}' }) }, // prettier-ignore
];

const machines: Break[] = [
  { rule: "zone-form", how: "a region", change: add({ type: types.group, name: "placeless", inputs: { name: "placeless", zone: "us-central1" } }) }, // prettier-ignore
  {
    rule: "disk-kind-fits-machine",
    how: "c4 with pd-balanced",
    change: set("jump-1", { machineType: "c4-standard-8" }),
  },
  { rule: "disk-kind-fits-machine", how: "n2 with hyperdisk-balanced", change: set("jump-1-data", { type: "hyperdisk-balanced" }), at: "jump-1" }, // prettier-ignore
  { rule: "secure-boot-takes-signed-modules", how: "Debian", change: set("jump-1", { shieldedInstanceConfig: { enableSecureBoot: true } }) }, // prettier-ignore
  { rule: "integrity-monitoring-needs-vtpm", how: "no TPM", change: set("jump-1", { shieldedInstanceConfig: { enableVtpm: false } }) }, // prettier-ignore
  { rule: "confidential-machine", how: "n2", change: set("jump-1", { confidentialInstanceConfig: { enableConfidentialCompute: true } }) }, // prettier-ignore
  { rule: "confidential-disk", how: "pd-balanced", change: set("jump-1-data", { enableConfidentialCompute: true }) },
  { rule: "server-has-no-service-account", how: "one", change: set("jump-1", { serviceAccount: { scopes: ["cloud-platform"] } }) }, // prettier-ignore
  { rule: "server-has-no-resource-policies", how: "one", change: set("jump-1", { resourcePolicies: "daily" }) },
  { rule: "server-goes-before-its-successor", how: "create first", change: option("jump-1", { deleteBeforeReplace: undefined }) }, // prettier-ignore
  { rule: "server-may-be-stopped-for-updates", how: "nothing said", change: set("jump-1", { allowStoppingForUpdate: undefined }) }, // prettier-ignore
  {
    rule: "made-anew-with-its-server",
    how: "the membership stays",
    change: option("jump-1-member", { replaceWith: [] }),
  },
  { rule: "made-anew-with-its-server", how: "the permission goes with another", change: option("jump-1-may-start", { replaceWith: ["urn:pulumi:prod::containarium::gcp:compute/instance:Instance::jump-11"] }) }, // prettier-ignore
];

const lives: Break[] = [
  { rule: "spot-is-preemptible", how: "SPOT alone", change: scheduling({ preemptible: undefined }) },
  { rule: "spot-is-preemptible", how: "preemptible alone", change: scheduling({ provisioningModel: undefined, instanceTerminationAction: undefined }) }, // prettier-ignore
  { rule: "spot-never-restarts", how: "nothing said", change: scheduling({ automaticRestart: undefined }) },
  { rule: "spot-never-restarts", how: "true", change: scheduling({ automaticRestart: true }) },
  { rule: "spot-is-not-moved", how: "nothing said", change: scheduling({ onHostMaintenance: undefined }) },
  { rule: "spot-is-not-moved", how: "MIGRATE", change: scheduling({ onHostMaintenance: "MIGRATE" }) },
  { rule: "termination-action-is-for-spot", how: "at a regular server", change: scheduling({ instanceTerminationAction: "STOP" }), fleet: "regular" }, // prettier-ignore
  { rule: "spot-says-how-it-ends", how: "nothing said", change: scheduling({ instanceTerminationAction: undefined }) },
  { rule: "server-stops-when-taken", how: "DELETE", change: scheduling({ instanceTerminationAction: "DELETE" }) },
  { rule: "preemption-notice", how: "60 seconds", change: scheduling({ preemptionNoticeDuration: { seconds: 60 } }) },
  { rule: "preemption-notice", how: "at a regular server", change: scheduling({ preemptionNoticeDuration: { seconds: 120 } }), fleet: "regular" }, // prettier-ignore
  { rule: "host-error-timeout", how: "100", change: scheduling({ hostErrorTimeoutSeconds: 100 }) },
  { rule: "host-error-timeout", how: "360", change: scheduling({ hostErrorTimeoutSeconds: 360 }) },
  { rule: "run-limit-once", how: "both", change: scheduling({ maxRunDuration: { seconds: 60 }, terminationTime: "2030-01-01T00:00:00Z" }) }, // prettier-ignore
  { rule: "stop-action-needs-stop", how: "at a regular server", change: scheduling({ onInstanceStopAction: { discardLocalSsd: true } }), fleet: "regular" }, // prettier-ignore
];

export const serverBreaks: readonly Break[] = [...names, ...texts, ...machines, ...lives];
