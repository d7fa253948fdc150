import { recordOperation } from "../audit/record-operation";
import type { Ban, BanEvent } from "../host/helper-protocol";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { parseBanAddress } from "./address";

/** A ban, and on which server it holds. */
export type ServerBan = Ban & { server: string };

/** What became of a ban, and on which server. */
export type ServerBanEvent = BanEvent & { server: string };

export interface Bans {
  /** Whether fail2ban runs; without it nobody is banned. */
  running: boolean;
  bans: ServerBan[];
}

/** How long a ban lasts when nothing else is said. */
export const BAN_SECONDS = 3600;

/** Who is shut out by fail2ban now. */
export async function listBans(server: Server, options?: RequestOptions): Promise<Bans> {
  const { running, bans } = await server.helper({ op: "bans.list" }, options);
  return { running, bans: bans.map((ban) => ({ server: server.name, ...ban })) };
}

/**
 * Shuts an address out, through fail2ban, and cuts what it has open; done when the server's firewall refuses it. Banned
 * already: from now on for that long.
 *
 * @throws InvalidInputError; ConflictError for your own address, one that is never banned, and the fleet's own
 */
export async function addBan(
  server: Server,
  address: string,
  { seconds = BAN_SECONDS, ...options }: RequestOptions & { seconds?: number } = {},
): Promise<ServerBan> {
  const wanted = parseBanAddress(address);
  return recordOperation(server, { operation: "bans add", detail: wanted }, async () => ({
    server: server.name,
    ...(await server.helper({ op: "bans.add", address: wanted, seconds }, options)),
  }));
}

/** Lets an address in again, whoever banned it. @returns whether it was banned */
export async function removeBan(server: Server, address: string, options?: RequestOptions): Promise<boolean> {
  const wanted = parseBanAddress(address);
  return recordOperation(server, { operation: "bans remove", detail: wanted }, async () => {
    return (await server.helper({ op: "bans.remove", address: wanted }, options)).removed;
  });
}

/** Who was banned between two moments (ISO 8601), oldest first. */
export async function banHistory(
  server: Server,
  { since, until }: { since: string; until: string },
  options?: RequestOptions,
): Promise<{ history: ServerBanEvent[]; leftOff: number }> {
  const { history, leftOff } = await server.helper({ op: "bans.history", since, until }, options);
  return { history: history.map((event) => ({ server: server.name, ...event })), leftOff };
}
