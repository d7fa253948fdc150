import { NotFoundError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { IncusError } from "../incus/incus-error";
import { waitFor } from "../wait";

const TIMEOUT_MS = 30_000;

/**
 * Stops an instance by force and deletes it. Fine when somebody else was faster.
 *
 * For most of a second after a start that failed, Incus says of the same instance that it is stopped already and that
 * it cannot be deleted because it is running (6.0.4): try until it is gone. One whose disk an Incus that was killed has
 * not made, or has removed already, it does not remove at all without help.
 */
export async function removeInstance(server: Server, name: string, options?: RequestOptions): Promise<void> {
  const { instances } = server.incus;
  await waitFor(
    async () => {
      try {
        await instances.stop(name, { force: true, ...options });
        await instances.delete(name, options);
        return true;
      } catch (error) {
        if (error instanceof NotFoundError) return true;
        if (!(error instanceof IncusError)) throw error;
        if (/is running/i.test(error.message)) return false;
        if (!/not a btrfs subvolume/i.test(error.message)) throw error;
        if ((await server.helper({ op: "disk.mend", name }, options)).missing) return false;
        throw error;
      }
    },
    { timeoutMs: TIMEOUT_MS, what: `${name} to be gone`, server: server.name, signal: options?.signal },
  );
}
