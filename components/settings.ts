import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

import { InvalidInputError } from "../ops/errors";
import { parseUserName } from "../ops/containers/user-name";
import { parseSize } from "../ops/containers/size";
import { parsePublicKey } from "../ops/keys/public-key";
import { explainedRun } from "./explained";
import { serverName } from "./naming";

/** Everything that a stack can be told, validated. Each key is described in Pulumi.yaml. */
export interface Settings {
  stack: string;
  target: "local";
  /** Explicit ids: server 2 stays server 2, whatever happens to the others. */
  servers: number[];
  containers: ContainerSettings[];
  adminUser: string;
  adminSshKeys: string[];
  image: string;
  defaults: { cpu: number; memory: string; diskQuota: string };
  dataDiskSizeGb: number;
  localSubnet: string;
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
  autostart: boolean;
  docker: boolean;
}

/** What the configuration holds, before defaults and rules. One source of values; tests give them as an object. */
export interface ConfigSource {
  get(key: string): string | undefined;
  getObject(key: string): unknown;
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
    autostart: z.boolean().optional(),
    docker: z.boolean().optional(),
  })
  .describe("a person's container");

const schema = z.strictObject({
  target: z.enum(["local"]).default("local"),
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
});

const textKeys = ["target", "adminUser", "image", "cpu", "memory", "diskQuota", "localSubnet"] as const;
const objectKeys = ["servers", "containers", "adminSshKeys", "dataDiskSizeGb"] as const;

/**
 * Reads and checks the whole configuration. Nothing has been created when this throws.
 * @throws InvalidInputError naming the key, the value and what is allowed.
 */
export function readSettings(stack: string, source: ConfigSource): Settings {
  const raw: Record<string, unknown> = {};
  for (const key of textKeys) raw[key] = source.get(key);
  for (const key of objectKeys) raw[key] = source.getObject(key);
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue ? issue.path.map(String).join(".") : "";
    throw new InvalidInputError(`containarium:${path}: ${issue?.message ?? "is not valid"}${shown(raw, issue?.path)}`, {
      remedy: `Correct the key in Pulumi.${stack}.yaml; Pulumi.yaml describes every key.`,
    });
  }
  const { cpu, memory, diskQuota, containers, servers, ...rest } = parsed.data;
  refuseDuplicates("servers", servers.map(String));
  refuseDuplicates(
    "containers",
    containers.map((container) => container.user),
  );
  if (rest.target === "local" && rest.localSubnet === "") {
    throw new InvalidInputError("containarium:localSubnet is not set", {
      remedy: "npm run quickstart  picks a subnet that nothing on this host uses.",
    });
  }
  const names = servers.map(serverName);
  return {
    ...rest,
    stack,
    servers,
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

/** The one place where Pulumi's configuration is read. */
export function stackSettings(): Settings {
  const config = new pulumi.Config("containarium");
  const source: ConfigSource = { get: (key) => config.get(key), getObject: (key) => config.getObject(key) };
  return explainedRun(() => readSettings(pulumi.getStack(), source));
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
