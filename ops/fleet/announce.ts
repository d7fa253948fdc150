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
 * @param from the server on which it was made; undefined asks all of them
 */
export async function announceAccounts(fleet: Fleet, from?: string): Promise<Announcement> {
  const limit = pLimit(SERVERS_AT_ONCE);
  const heard: string[] = [];
  const silent = new Map<string, Error>();
  const ask = async (name: string): Promise<void> => {
    try {
      // Who did not answer a moment ago is not waited for again.
      const failure = fleet.lastFailure(name);
      if (failure !== undefined) throw failure;
      const server = await fleet.server(name);
      const { silent: unheard } = await server.helper({ op: "peers.pull" }, { timeoutMs: TIMEOUT_MS });
      const reason = unheard.find((peer) => peer.server === from)?.reason;
      if (reason !== undefined) throw new ContainariumError("unreachable", `it does not hear ${from}: ${reason}`);
      heard.push(name);
    } catch (error) {
      silent.set(name, error as Error);
    }
  };
  const others = fleet.servers.filter(({ name }) => name !== from);
  await Promise.all(others.map(({ name }) => limit(() => ask(name))));
  return { heard: heard.sort(), silent };
}
