import type { LiveSession } from "../host/helper-protocol";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";

/** A live connection of a user's jump account, and through which server it goes. */
export type Session = LiveSession & { server: string };

/** Who is connected through this server now, by the server's kernel: from where, since when, and what is open to where. */
export async function listSessions(server: Server, options?: RequestOptions): Promise<Session[]> {
  const { sessions } = await server.helper({ op: "sessions.list" }, options);
  return sessions.map((session) => ({ server: server.name, ...session }));
}
