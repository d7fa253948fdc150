import type { ContainerRecord } from "../containers/record";
import { NotFoundError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { IncusError } from "../incus/incus-error";

/**
 * Cuts what a person has open: on the jump server, which is the only way in, then what sshd in the container still
 * holds. Programs that they left running without a session go on.
 */
export async function endSessions(
  server: Server,
  { user, name }: Pick<ContainerRecord, "user" | "name">,
  options?: RequestOptions,
): Promise<void> {
  await server.helper({ op: "account.endSessions", user }, options);
  try {
    await server.incus.instances.exec(name, ["pkill", "-KILL", "-u", user, "^sshd"], options);
  } catch (error) {
    // It is stopped, or its owner removed pkill or the account: the way there is cut in any case.
    if (!(error instanceof NotFoundError) && !(error instanceof IncusError && error.status === 400)) throw error;
  }
}
