import type { AuditEvent } from "../audit/read";
import type { ServerHealth } from "./server-health";

type Login = Extract<AuditEvent, { event: "login" }>;
type FailedLogin = Extract<AuditEvent, { event: "failed-login" }>;

/** What went on in a whole fleet: the last hour, and today (UTC). */
export interface Activity {
  recentLogins: Login[];
  recentFailures: FailedLogin[];
  usersToday: string[];
  connectionsToday: { user: string; connections: number }[];
}

const HOUR_MS = 3_600_000;
const RECENT = 10;

/** From when on checkServer has to know logins for that: midnight, or an hour ago. */
export function activitySince(now: Date): string {
  const hourAgo = new Date(now.getTime() - HOUR_MS).toISOString();
  const midnight = `${now.toISOString().slice(0, 10)}T00:00:00.000Z`;
  return hourAgo < midnight ? hourAgo : midnight;
}

/** Sums up what several servers saw. Pure. */
export function summarizeActivity(servers: readonly ServerHealth[], now: Date): Activity {
  const events = servers.flatMap(({ events }) => events).sort((a, b) => (a.time < b.time ? -1 : 1));
  const hourAgo = new Date(now.getTime() - HOUR_MS).toISOString();
  const midnight = `${now.toISOString().slice(0, 10)}T00:00:00.000Z`;
  const logins = events.filter((event): event is Login => event.event === "login");
  const failures = events.filter((event): event is FailedLogin => event.event === "failed-login");
  const connections = new Map<string, number>();
  for (const { user, time, more = 0 } of logins) {
    if (time >= midnight) connections.set(user, (connections.get(user) ?? 0) + 1 + more);
  }
  return {
    recentLogins: logins.filter(({ time }) => time >= hourAgo).slice(-RECENT),
    recentFailures: failures.filter(({ time }) => time >= hourAgo).slice(-RECENT),
    usersToday: [...connections.keys()].sort(),
    connectionsToday: [...connections]
      .map(([user, count]) => ({ user, connections: count }))
      .sort((a, b) => b.connections - a.connections || (a.user < b.user ? -1 : 1)),
  };
}
