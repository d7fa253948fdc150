import { isIP } from "node:net";
import { InvalidInputError } from "../errors";

/** One IPv4 or IPv6 address. @throws InvalidInputError */
export function parseBanAddress(text: string): string {
  if (isIP(text) !== 0 && !text.includes("%")) return text.toLowerCase();
  throw new InvalidInputError(`${JSON.stringify(text)} is not an address`, {
    remedy: "Give one IPv4 or IPv6 address, for example 203.0.113.9",
  });
}
