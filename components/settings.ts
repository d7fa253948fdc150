import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

import { InvalidInputError } from "../ops/errors";
import { parseUserName } from "../ops/containers/user-name";
import { parseProcesses, parseSize } from "../ops/containers/size";
import { parsePublicKey } from "../ops/keys/public-key";
import { parseSchedule, parseScheduleExpiry } from "../ops/snapshots/schedule-text";
import { explainedRun } from "./explained";
import { googleSchema, googleSettings, type GoogleSettings } from "./google-settings";
import { serverName } from "./naming";

/** Everything that a stack can be told, validated. Each key is described in Pulumi.yaml. */
export interface Settings {
  stack: string;
  /** Where the servers live: on this host, or on Google Compute Engine. */
  target: "local" | "gce";
  /** Explicit ids: server 2 stays server 2, whatever happens to the others. */
  servers: number[];
  containers: ContainerSettings[];
  adminUser: string;
  adminSshKeys: string[];
  image: string;
  defaults: { cpu: number; memory: string; diskQuota: string };
  dataDiskSizeGb: number;
  localSubnet: string;
  /** One address before all servers. */
  loadBalancer: boolean;
  /** Servers that take no part in the balancer: new ones, whose host keys people do not have yet. */
  outOfBalancer: number[];
  /** Addresses that are never banned, whatever they fail at. */
  neverBan: string[];
  /** Present when the target is `gce`. */
  google?: GoogleSettings;
}

export interface ContainerSettings {
  user: string;
  sshKeys: string[];
  /** Name of the server it lives on. */
  server: string;
  image?: string;
  cpu: number;
  memory: string;
  diskQuota: string;
  processes?: number;
  autostart: boolean;
  docker: boolean;
  snapshotSchedule?: string;
  snapshotExpiry?: string;
}

/** What the configuration holds, before defaults and rules. One source of values; tests give them as an object. */
export interface ConfigSource {
  get(key: string): string | undefined;
  getObject(key: string): unknown;
  /** All keys that are set; one that nobody knows is a typing error. */
  keys?: string[];
  /** The Google project, which is not ours to configure: `gcp:project`. */
  project?: string;
}

const sizeText = (what: string) =>
  z.string().superRefine((text, context) => addIssueOf(context, () => parseSize(text, what)));

const containerSchema = z
  .strictObject({
    user: z.string().superRefine((text, context) => addIssueOf(context, () => parseUserName(text))),
    // An empty list locks the person out, and is written so by `keys remove --force`.
    sshKeys: z.array(
      z.string().superRefine((text, context) => addIssueOf(context, () => parsePublicKey(text, "sshKeys"))),
    ),
    server: z.string().optional(),
    image: z.string().optional(),
    cpu: z.number().positive().optional(),
    memory: sizeText("memory").optional(),
    diskQuota: sizeText("disk quota").optional(),
    processes: z
      .number()
      .superRefine((value, context) => addIssueOf(context, () => parseProcesses(value)))
      .optional(),
    autostart: z.boolean().optional(),
    docker: z.boolean().optional(),
    snapshotSchedule: z
      .string()
      .superRefine((text, context) => addIssueOf(context, () => parseSchedule(text)))
      .optional(),
    snapshotExpiry: z
      .string()
      .superRefine((text, context) => addIssueOf(context, () => parseScheduleExpiry(text)))
      .optional(),
  })
  .describe("a person's container");

const schema = z.strictObject({
  target: z.enum(["local", "gce"]).default("local"),
  servers: z.array(z.number().int().min(1).max(240)).min(1).default([1]),
  containers: z.array(containerSchema).default([]),
  adminUser: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,31}$/, "must be a login name: a small letter, then small letters, digits, - and _")
    .default("admin"),
  adminSshKeys: z
    .array(z.string().superRefine((text, context) => addIssueOf(context, () => parsePublicKey(text, "adminSshKeys"))))
    .default([]),
  image: z.string().min(1).default("images:ubuntu/24.04"),
  cpu: z.coerce.number().positive("must be a number of cores, such as 0.5 or 4").default(4),
  memory: sizeText("memory").default("4GiB"),
  diskQuota: sizeText("disk quota").default("20GB"),
  dataDiskSizeGb: z.number().int().min(10, "must be at least 10").default(100),
  localSubnet: z
    .string()
    .regex(/^$|^\d{1,3}\.\d{1,3}\.\d{1,3}\.0\/24$/, "must be a /24 such as 10.88.0.0/24")
    .default(""),
  loadBalancer: z.boolean().default(false),
  outOfBalancer: z.array(z.number().int()).default([]),
  neverBan: z.array(z.union([z.ipv4(), z.cidrv4()])).default([]),
  ...googleSchema,
});

/** Keys whose value is text whatever it looks like; the others are YAML. */
const textKeys = [
  ...["target", "adminUser", "image", "cpu", "memory", "diskQuota", "localSubnet", "zone", "machineType", "subnet"],
  ...["bootImage", "dataDiskType", "snapshotStartTime", "adminIdentityFile"],
];

/**
 * Reads and checks the whole configuration. Nothing has been created when this throws.
 * @throws InvalidInputError naming the key, the value and what is allowed.
 */
export function readSettings(stack: string, source: ConfigSource): Settings {
  refuseUnknownKeys(stack, source.keys ?? []);
  const raw: Record<string, unknown> = {};
  for (const key of Object.keys(schema.shape)) {
    raw[key] = textKeys.includes(key) ? source.get(key) : valueOf(source, key);
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue ? issue.path.map(String).join(".") : "";
    throw new InvalidInputError(`containarium:${path}: ${issue?.message ?? "is not valid"}${shown(raw, issue?.path)}`, {
      remedy: `Correct the key in Pulumi.${stack}.yaml; Pulumi.yaml describes every key.`,
    });
  }
  const values = parsed.data;
  const { cpu, memory, diskQuota, containers, servers } = values;
  refuseDuplicates("servers", servers.map(String));
  refuseDuplicates(
    "containers",
    containers.map((container) => container.user),
  );
  refuseAdminAmongUsers(values);
  refuseStrangeBalancing(values);
  if (values.target === "local" && values.localSubnet === "") {
    throw new InvalidInputError("containarium:localSubnet is not set", {
      remedy: "npm run quickstart  picks a subnet that nothing on this host uses.",
    });
  }
  const names = servers.map(serverName);
  return {
    stack,
    target: values.target,
    servers,
    adminUser: values.adminUser,
    adminSshKeys: values.adminSshKeys,
    image: values.image,
    dataDiskSizeGb: values.dataDiskSizeGb,
    localSubnet: values.localSubnet,
    loadBalancer: values.loadBalancer,
    outOfBalancer: values.outOfBalancer,
    neverBan: values.neverBan,
    ...(values.target === "gce" && { google: googleSettings(values, { ...values, stack, project: source.project }) }),
    defaults: { cpu, memory, diskQuota },
    containers: containers.map((container) => ({
      ...container,
      server: checkedServer(container.user, container.server, names),
      cpu: container.cpu ?? cpu,
      memory: container.memory ?? memory,
      diskQuota: container.diskQuota ?? diskQuota,
      autostart: container.autostart ?? true,
      docker: container.docker ?? true,
    })),
  };
}

/**
 * The same from an object, for programs that embed the fleet: the keys of Pulumi.yaml without `containarium:`.
 * @param project id of the Google project, for `target: gce`
 * @throws InvalidInputError as readSettings
 */
export function settingsFrom(stack: string, values: Record<string, unknown>, project?: string): Settings {
  const text = (value: unknown) => (value === undefined || typeof value === "string" ? value : JSON.stringify(value));
  const source = { get: (key: string) => text(values[key]), getObject: (key: string) => values[key] };
  return readSettings(stack, { ...source, keys: Object.keys(values), project });
}

/** The one place where Pulumi's configuration is read. */
export function stackSettings(): Settings {
  const config = new pulumi.Config("containarium");
  const prefix = "containarium:";
  const source: ConfigSource = {
    keys: Object.keys(pulumi.runtime.allConfig() ?? {})
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length)),
    get: (key) => config.get(key),
    getObject: (key) => config.getObject(key),
    project: new pulumi.Config("gcp").get("project") ?? projectOfEnvironment(),
  };
  return explainedRun(() => readSettings(pulumi.getStack(), source));
}

function refuseUnknownKeys(stack: string, keys: string[]): void {
  const unknown = keys.find((key) => !Object.hasOwn(schema.shape, key));
  if (unknown === undefined) return;
  throw new InvalidInputError(`containarium:${unknown} is no setting`, {
    remedy: `Correct the key in Pulumi.${stack}.yaml; Pulumi.yaml describes every key.`,
  });
}

/** Where @pulumi/gcp looks when `gcp:project` is not set. */
function projectOfEnvironment(): string | undefined {
  const names = ["GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"];
  return names.map((name) => process.env[name]).find((value) => value !== undefined && value !== "");
}

/** What is no YAML is shown to the rules as the text that it is. */
function valueOf({ get, getObject }: ConfigSource, key: string): unknown {
  try {
    return getObject(key);
  } catch {
    return get(key);
  }
}

/** An administrator's account that a person's key opens would be a person with root. */
function refuseAdminAmongUsers({ adminUser, containers }: { adminUser: string; containers: { user: string }[] }): void {
  if (containers.every(({ user }) => user !== adminUser)) return;
  throw new InvalidInputError(`containarium:containers: ${adminUser} is the administrator's account on every server`, {
    remedy: "Give the person, or containarium:adminUser, another name.",
  });
}

function checkedServer(user: string, server: string | undefined, names: string[]): string {
  const [only] = names;
  if (server === undefined && names.length === 1 && only !== undefined) return only;
  if (server !== undefined && names.includes(server)) return server;
  const problem =
    server === undefined ? "does not say its server" : `names the server ${server}, which the fleet lacks`;
  throw new InvalidInputError(`containarium:containers: ${user} ${problem}`, {
    remedy: `Set  server:  of ${user} to one of: ${names.join(", ")}.`,
  });
}

function refuseStrangeBalancing({
  servers,
  loadBalancer,
  outOfBalancer,
}: Pick<Settings, "servers" | "loadBalancer" | "outOfBalancer">): void {
  const strange = outOfBalancer.find((id) => !servers.includes(id));
  if (strange !== undefined) {
    throw new InvalidInputError(`containarium:outOfBalancer: there is no server ${strange}`, {
      remedy: `Servers are: ${servers.join(", ")}.`,
    });
  }
  if (loadBalancer && servers.every((id) => outOfBalancer.includes(id))) {
    throw new InvalidInputError("containarium:outOfBalancer: no server is left for the balancer", {
      remedy: "Leave one in, or set  containarium:loadBalancer: false.",
    });
  }
}

function refuseDuplicates(key: string, values: string[]): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) {
    throw new InvalidInputError(`containarium:${key}: ${twice} is there twice`, { remedy: "Keep one of them." });
  }
}

function shown(raw: unknown, path: readonly PropertyKey[] = []): string {
  const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], raw);
  return value === undefined ? "" : ` (it is ${JSON.stringify(value).slice(0, 80)})`;
}

function addIssueOf(context: z.RefinementCtx, parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
}
