/** Arithmetic of IPv4 ranges. Pure. */
export interface Cidr {
  /** First address, as a number. */
  base: number;
  prefix: number;
}

/** @returns undefined when the text is no range, or has host bits set (10.64.0.1/24). */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3})\/(\d{1,2})$/.exec(text);
  const base = match?.[1] === undefined ? undefined : parseAddress(match[1]);
  const prefix = Number(match?.[2]);
  if (base === undefined || prefix > 32) return undefined;
  return base % sizeOf(prefix) === 0 ? { base, prefix } : undefined;
}

export function parseAddress(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join(".");
}

/** How many addresses a range of that prefix length has. */
export function sizeOf(prefix: number): number {
  return 2 ** (32 - prefix);
}

export function overlap(a: Cidr, b: Cidr): boolean {
  return a.base < b.base + sizeOf(b.prefix) && b.base < a.base + sizeOf(a.prefix);
}

const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map((text) => parseCidr(text)!);

export function isPrivate(range: Cidr): boolean {
  return privateRanges.some((all) => range.prefix >= all.prefix && overlap(range, all));
}

/** The range that every server's container subnet comes from: server 1 has 10.0.3.0/24, server 240 10.0.242.0/24. */
export const containerRange = "10.0.0.0/16";

/** Containers of server `id`: 10.0.(2+id).0/24. */
export function containerSubnet(id: number): string {
  return `10.0.${2 + id}.0/24`;
}
