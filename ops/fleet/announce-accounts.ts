import type { Server } from "../host/server";

/** Some servers, by name, as a fleet has them. */
export interface Peers {
  names: readonly string[];
  server(name: string): Promise<Server>;
}

/**
 * Tells the other servers that people of `home` have other keys now. A server has only its own people's accounts today,
 * so `home` itself is all there is to change, and whoever changed them did that.
 *
 * @returns the servers that could not be told, with the reason
 */
export async function announceAccounts(_home: Server, _peers: Peers): Promise<Map<string, Error>> {
  return new Map();
}
