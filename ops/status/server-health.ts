import { readAudit, type AuditEvent } from "../audit/read";
import { listSessions, type Session } from "../audit/sessions";
import { listBans, type ServerBan } from "../bans/bans";
import type { ContainerStatus } from "../containers/container";
import { listContainers } from "../containers/list";
import type { ServerStatus } from "../host/helper-protocol";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";

/** How a server is, and what happens on it. */
export interface ServerHealth {
  server: string;
  /** What somebody should look at; empty when it is well. */
  problems: string[];
  ready: boolean;
  pool: ServerStatus["pool"];
  memory: ServerStatus["memory"];
  accounts: number;
  /** How many containers are in which state. */
  containers: Partial<Record<ContainerStatus, number>>;
  sessions: Session[];
  bans: ServerBan[];
  /** Logins of users and failed logins since `since`, oldest first. */
  events: AuditEvent[];
}

const POOL_FULL = 0.9;
const MEMORY_SHORT = 0.05;

/** Asks a server for all of that at once. @param since from when on logins are wanted, ISO 8601 */
export async function checkServer(server: Server, since: string, options?: RequestOptions): Promise<ServerHealth> {
  const until = new Date(Date.now() + 60_000).toISOString();
  const [status, containers, sessions, { running, bans }, { events }, { accounts }] = await Promise.all([
    server.helper({ op: "server.status" }, options),
    listContainers(server, options),
    listSessions(server, options),
    listBans(server, options),
    readAudit(server, { since, until }, options),
    server.helper({ op: "account.list" }, options),
  ]);
  const counts: Partial<Record<ContainerStatus, number>> = {};
  for (const container of containers) counts[container.status] = (counts[container.status] ?? 0) + 1;
  const people = new Set(accounts.map(({ user }) => user));
  return {
    server: server.name,
    problems: problemsOf(status, counts, { running, bans }),
    ready: status.ready,
    pool: status.pool,
    memory: status.memory,
    accounts: status.accounts,
    containers: counts,
    sessions,
    bans,
    // Who has been deleted since has no account any more, but had a target.
    events: events.filter((event) => {
      return event.event === "failed-login" || (event.event === "login" && (people.has(event.user) || event.target));
    }),
  };
}

/** What somebody should look at. Pure. */
export function problemsOf(
  { ready, pool, memory }: Pick<ServerStatus, "ready" | "pool" | "memory">,
  containers: Partial<Record<ContainerStatus, number>>,
  { running, bans }: { running: boolean; bans: readonly ServerBan[] },
): string[] {
  const problems: string[] = [];
  const percent = (part: number, whole: number): string => `${Math.round((100 * part) / Math.max(whole, 1))}%`;
  if (!ready) problems.push("its startup is not through");
  if (pool.usedBytes > POOL_FULL * pool.totalBytes) {
    problems.push(`its pool is ${percent(pool.usedBytes, pool.totalBytes)} full`);
  }
  if (memory.availableBytes < MEMORY_SHORT * memory.totalBytes) {
    problems.push(`of its memory ${percent(memory.availableBytes, memory.totalBytes)} is left`);
  }
  for (const state of ["no-ssh", "half-made", "error"] as const) {
    if (containers[state]) problems.push(`${containers[state]} of its containers: ${state}`);
  }
  if (!running) problems.push("fail2ban does not run: nobody is banned");
  const open = bans.filter(({ enforced }) => !enforced).length;
  if (open > 0) problems.push(`${open} of its bans are not in the firewall`);
  return problems;
}
