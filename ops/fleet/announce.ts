import pLimit from "p-limit";
import { ContainariumError } from "../errors";
import type { Fleet } from "./fleet";

/** Who has heard of a change, and who has not. */
export interface Announcement {
  heard: string[];
  /** Servers that could not be asked, and why: they ask by themselves when they boot, and every few seconds. */
  silent: Map<string, Error>;
}

const SERVERS_AT_ONCE = 8;
const TIMEOUT_MS = 30_000;

/**
 * After a change of who lives where, or with which keys: has the other servers of a fleet ask for it at once. Without
 * this they would know some seconds later. Never throws: the change is made already.
 *
 * Servers remember what a silent one said last, for the time when it comes back. One that the fleet does not have any more
 * will not: it is forgotten, or whoever lived there and lives elsewhere now would be sent there for ever.
 *
 * @param from the server on which it was made; undefined asks all of them
 */
export async function announceAccounts(fleet: Fleet, from?: string): Promise<Announcement> {
  const limit = pLimit(SERVERS_AT_ONCE);
  const heard: string[] = [];
  const silent = new Map<string, Error>();
  const gone = new Set<string>();
  const ask = async (name: string): Promise<void> => {
    try {
      // Who did not answer a moment ago is not waited for again.
      const failure = fleet.lastFailure(name);
      if (failure !== undefined) throw failure;
      const server = await fleet.server(name);
      const { silent: unheard } = await server.helper({ op: "peers.pull" }, { timeoutMs: TIMEOUT_MS });
      for (const peer of unheard) if (!names.includes(peer.server)) gone.add(peer.server);
      const reason = unheard.find((peer) => peer.server === from)?.reason;
      if (reason !== undefined) throw new ContainariumError("unreachable", `it does not hear ${from}: ${reason}`);
      heard.push(name);
    } catch (error) {
      silent.set(name, error as Error);
    }
  };
  const forget = async (name: string): Promise<void> => {
    try {
      const server = await fleet.server(name);
      for (const peer of gone) await server.helper({ op: "peers.forget", server: peer }, { timeoutMs: TIMEOUT_MS });
    } catch (error) {
      silent.set(name, error as Error);
    }
  };
  const names = fleet.servers.map(({ name }) => name);
  const others = names.filter((name) => name !== from);
  await Promise.all(others.map((name) => limit(() => ask(name))));
  // Those that could not be asked are told by the next change.
  const told = gone.size === 0 ? [] : names.filter((name) => !silent.has(name));
  await Promise.all(told.map((name) => limit(() => forget(name))));
  return { heard: heard.filter((name) => !silent.has(name)).sort(), silent };
}
