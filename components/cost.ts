/**
 * What a fleet costs a month, from a table with source and date. Spot prices change, up to daily: this is an estimate to
 * decide with, never a promise. A price that the table lacks is named as missing, not guessed.
 */
export interface PriceSource {
  name: string;
  /** Day on which the prices were read; null where the source does not say. */
  asOf: string | null;
}

const sources = {
  catalog: { name: "Cloud Billing catalog, as collected by Cyclenerd/google-cloud-pricing-cost-calculator", asOf: "2026-07-30" }, // prettier-ignore
  loadBalancing: { name: "cloud.google.com/load-balancing/pricing", asOf: null },
  memory: { name: "not found in a source; to be checked", asOf: null },
} as const satisfies Record<string, PriceSource>;

type Source = keyof typeof sources;

/** All prices in USD. Monthly ones are for 730 hours; those of regular VMs include the sustained-use discount. */
interface Price {
  usd: number;
  source: Source;
}

interface MachinePrices {
  regular?: Price;
  spot?: Price;
}

const catalog = (usd: number): Price => ({ usd, source: "catalog" });

/** A VM for a month, by region and machine type. */
const machines: Record<string, Record<string, MachinePrices>> = {
  "us-central1": {
    "n2-standard-8": { regular: catalog(226.92), spot: catalog(134.5) },
    "n2-standard-4": { regular: catalog(113.46), spot: catalog(67.25) },
    "e2-standard-2": { regular: catalog(48.92), spot: catalog(29.35) },
    "e2-medium": { regular: catalog(24.46) },
    "e2-micro": { regular: catalog(6.11) },
  },
  "europe-west4": { "n2-standard-8": { spot: catalog(113.49) } },
};

/** A GB of disk for a month, us-central1. */
export const diskPrices = {
  "pd-balanced": catalog(0.1),
  "pd-ssd": catalog(0.17),
  "pd-standard": catalog(0.04),
} as const satisfies Record<string, Price>;

export type DiskType = keyof typeof diskPrices;

/** The rest, us-central1. */
const others = {
  externalAddress: catalog(3.65),
  /** A GB for a month. Snapshots hold what changed, compressed: how much that is nobody knows beforehand. */
  snapshotGb: catalog(0.05),
  forwardingRule: { usd: 18.25, source: "loadBalancing" },
  starterJob: { usd: 0.1, source: "memory" },
} as const satisfies Record<string, Price>;

/** Whose prices stand for disks, addresses and the balancer in every region. */
const referenceRegion = "us-central1";

export interface CostQuestion {
  region: string;
  machineType: string;
  spot: boolean;
  servers: number;
  bootDisk: { type: DiskType; sizeGb: number };
  /** Sizes of the data disks, GB. */
  dataDisks: { type: DiskType; sizesGb: number[] };
  loadBalancer: boolean;
}

export interface CostPart {
  what: string;
  count: number;
  usdEach: number;
  usd: number;
  source: string;
  asOf: string | null;
}

export interface MonthlyCost {
  currency: "USD";
  parts: CostPart[];
  /** Sum of the parts; null when a part's price is missing. */
  total: number | null;
  /** What has no price in the table, and what depends on use. */
  notIncluded: string[];
}

export function monthlyCost(question: CostQuestion): MonthlyCost {
  const { region, machineType, spot, servers, bootDisk, dataDisks, loadBalancer } = question;
  const kind = spot ? "spot" : "regular";
  const machine = machines[region]?.[machineType]?.[kind];
  const dataGb = dataDisks.sizesGb.reduce((sum, size) => sum + size, 0);
  const parts = [
    machine && part(`${machineType}, ${kind}`, servers, machine),
    part(`boot disk, GB ${bootDisk.type}`, servers * bootDisk.sizeGb, diskPrices[bootDisk.type]),
    part(`data disk, GB ${dataDisks.type}`, dataGb, diskPrices[dataDisks.type]),
    part("external address in use", servers, others.externalAddress),
    spot && part("job that starts a stopped server", servers, others.starterJob),
    loadBalancer && part("forwarding rule", 1, others.forwardingRule),
  ].filter((known): known is CostPart => typeof known === "object");
  const missing = machine === undefined ? [`${machineType}, ${kind}, in ${region}: no price in the table`] : [];
  const abroad =
    region === referenceRegion ? [] : [`disks, addresses and balancer: at the prices of ${referenceRegion}`];
  return {
    currency: "USD",
    parts,
    total: machine === undefined ? null : cents(parts.reduce((sum, { usd }) => sum + usd, 0)),
    notIncluded: [
      ...missing,
      ...abroad,
      `snapshots: ${others.snapshotGb.usd} per GB and month of what changed`,
      "traffic to the internet, and through the balancer",
    ],
  };
}

function part(what: string, count: number, { usd, source }: Price): CostPart {
  return {
    what,
    count,
    usdEach: usd,
    usd: cents(count * usd),
    source: sources[source].name,
    asOf: sources[source].asOf,
  };
}

function cents(usd: number): number {
  return Math.round(usd * 100) / 100;
}
