import { parseUserName } from "../containers/user-name";
import type { Server } from "../host/server";
import type { RecordedEvent } from "../host/helper-protocol";
import type { RequestOptions } from "../incus/client";
import { containerLogins, type ContainerLogin } from "./container-logins";

/** Which part of the record; both moments ISO 8601, as parseMoment gives them. */
export interface AuditQuery {
  since: string;
  until: string;
  /** Only what concerns this user. */
  user?: string;
}

/** Something that happened, and on which server. */
export type AuditEvent = (RecordedEvent | ContainerLogin) & { server: string };

export interface Audit {
  events: AuditEvent[];
  /** How many older ones there are that did not fit into one answer. */
  leftOff: number;
}

/**
 * What a server has on record: logins, logins that failed, and operations; oldest first.
 *
 * sshd does not log where an allowed connection went. What is known: an account can reach one address (`target`), and,
 * when one user is asked for, which logins the container on this server has in its own journal.
 */
export async function readAudit(
  server: Server,
  { since, until, user }: AuditQuery,
  options?: RequestOptions,
): Promise<Audit> {
  if (user !== undefined) parseUserName(user);
  const [{ events, leftOff }, inside] = await Promise.all([
    server.helper({ op: "audit.read", since, until, user: user ?? "" }, options),
    user === undefined ? [] : containerLogins(server, { user, since, until }, options),
  ]);
  const all = [...events, ...inside].map((event) => ({ server: server.name, ...event }));
  return { events: all.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)), leftOff };
}
