import { z } from "zod";

import { InvalidInputError } from "../ops/errors";
import { parseCidr } from "./cidr";
import { type DiskType, diskPrices } from "./cost";
import { type DataDiskWish, planFleet, regionOf } from "./fleet-plan";

/** What only a fleet on Google Compute Engine is told. Each key is described in Pulumi.yaml. */
export interface GoogleSettings {
  /** Id of the Google project, of `gcp:project`. */
  project: string;
  zone: string;
  machineType: string;
  spot: boolean;
  /** Range of the servers' own addresses. */
  subnet: string;
  /** Ranges that may speak to port 22. */
  allowedSshSources: string[];
  bootImage: string;
  bootDiskSizeGb: number;
  dataDiskType: DiskType;
  dataDisks: DataDiskWish[];
  protectDataDisks: boolean;
  /** Daily snapshots of the data disks; undefined: none. */
  snapshots: SnapshotSettings | undefined;
  /** No Spot server is started again by itself. */
  recoveryPaused: boolean;
  /** Private key of an administrator, for `pulumi up` itself; relative to the project's folder. Default: the SSH agent. */
  adminIdentityFile: string | undefined;
}

export interface SnapshotSettings {
  /** UTC, `04:00`. */
  startTime: string;
  retentionDays: number;
}

const anywhere = "0.0.0.0/0";

/** Google starts daily snapshots on this grid only. */
const startTimes = ["00:00", "04:00", "08:00", "12:00", "16:00", "20:00"] as const;

/** Machine families that take hyperdisks only, which this version does not make. */
const hyperdiskFamilies = ["a4", "c4", "c4a", "c4d", "h4d", "n4", "n4a", "n4d", "m4", "x4", "z3"];

/** Text, number, list: each as the stack's configuration holds it. */
export const googleSchema = {
  zone: z.string().superRefine((text, context) => void reasonOf(() => regionOf(text), context)).default("us-central1-a"), // prettier-ignore
  machineType: z
    .string()
    .regex(/^[a-z][a-z0-9]*-[a-z0-9]+(-[a-z0-9]+)*$/, "must be a machine type such as n2-standard-8")
    .refine((type) => !hyperdiskFamilies.includes(type.split("-")[0]!), {
      message: "takes hyperdisks only, which are not supported; take a type of the families e2, n2, n2d, c3 or c3d",
    })
    .default("n2-standard-8"),
  spot: z.boolean().default(true),
  subnet: z.string().default("10.64.0.0/24"),
  allowedSshSources: z
    .array(
      z.string().refine((text) => parseCidr(text) !== undefined, {
        message: "must be a range such as 203.0.113.0/24, without host bits",
      }),
    ) // prettier-ignore
    .max(250)
    .default([]),
  allowSshFromAnywhere: z.boolean().default(false),
  bootImage: z
    .string()
    .regex(
      /^(projects\/)?(debian-cloud|ubuntu-os-cloud|[a-z][-a-z0-9]{4,61}[a-z0-9])\/((global\/)?images\/(family\/)?)?[a-z][-a-z0-9]{0,62}$/,
      "must be PROJECT/FAMILY, such as debian-cloud/debian-13 or ubuntu-os-cloud/ubuntu-2404-lts-amd64",
    )
    .default("debian-cloud/debian-13"),
  bootDiskSizeGb: z.number().int().min(15, "must be at least 15").max(2048).default(20),
  dataDiskType: z.enum(Object.keys(diskPrices) as [DiskType, ...DiskType[]]).default("pd-balanced"),
  dataDisks: z
    .array(
      z.strictObject({
        server: z.number().int(),
        generation: z.number().int().optional(),
        snapshot: z.string().regex(/^(projects\/[^/]+\/)?global\/snapshots\/[a-z][-a-z0-9]{0,62}$/, "must be global/snapshots/NAME").optional(), // prettier-ignore
        adopt: z.boolean().optional(),
      }),
    )
    .default([]),
  protectDataDisks: z.boolean().default(false),
  dailySnapshots: z.boolean().default(true),
  snapshotStartTime: z.enum(startTimes).default("04:00"),
  snapshotRetentionDays: z.number().int().min(1, "must be at least 1").max(65535).default(30),
  recoveryPaused: z.boolean().default(false),
  adminIdentityFile: z.string().default(""),
};

type Parsed = z.output<z.ZodObject<typeof googleSchema>>;

/** What the rules need to know beside Google's own keys. */
interface GoogleContext {
  stack: string;
  project: string | undefined;
  servers: number[];
  adminSshKeys: string[];
  dataDiskSizeGb: number;
}

/** @throws InvalidInputError naming the key, the value and what is allowed. Nothing has been created then. */
export function googleSettings(parsed: Parsed, context: GoogleContext): GoogleSettings {
  const { project, stack } = context;
  if (project === undefined) {
    throw new InvalidInputError("gcp:project is not set", {
      remedy: `Name the Google project that pays for the fleet:\n  npm run pulumi -- config set gcp:project MY-PROJECT --stack ${stack}`,
    });
  }
  if (context.adminSshKeys.length === 0) {
    throw new InvalidInputError("containarium:adminSshKeys is empty: nobody could administer the servers", {
      remedy: `Put your public key into Pulumi.${stack}.yaml, as an item of  containarium:adminSshKeys`,
    });
  }
  const { snapshotStartTime: startTime, snapshotRetentionDays: retentionDays } = parsed;
  const settings: GoogleSettings = {
    project,
    zone: parsed.zone,
    machineType: parsed.machineType,
    spot: parsed.spot,
    subnet: parsed.subnet,
    allowedSshSources: checkedSources(parsed.allowedSshSources, parsed.allowSshFromAnywhere),
    bootImage: parsed.bootImage,
    bootDiskSizeGb: parsed.bootDiskSizeGb,
    dataDiskType: parsed.dataDiskType,
    dataDisks: parsed.dataDisks,
    protectDataDisks: parsed.protectDataDisks,
    snapshots: parsed.dailySnapshots ? { startTime, retentionDays } : undefined,
    recoveryPaused: parsed.recoveryPaused,
    adminIdentityFile: parsed.adminIdentityFile || undefined,
  };
  planFleet({ ...settings, ...context });
  return settings;
}

/** The whole internet is a choice that somebody has to make, never a default. */
function checkedSources(sources: string[], anywhereAllowed: boolean): string[] {
  const open = sources.find((range) => range.endsWith("/0"));
  if (open !== undefined && !anywhereAllowed) {
    throw new InvalidInputError(`containarium:allowedSshSources lets the whole internet in (${open})`, {
      remedy: "Name your networks; or say that you mean it:  containarium:allowSshFromAnywhere: true",
    });
  }
  if (sources.length > 0) return sources;
  if (anywhereAllowed) return [anywhere];
  throw new InvalidInputError("containarium:allowedSshSources is empty: nobody could log in", {
    remedy: "Name the networks that your people come from, such as [203.0.113.0/24].",
  });
}

function reasonOf(parse: () => unknown, context: z.RefinementCtx): void {
  try {
    parse();
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message.replace(/^containarium:\w+: /, "") });
  }
}
