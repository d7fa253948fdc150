import { recordOperation } from "../audit/record-operation";
import { ConflictError, ContainariumError, NotFoundError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Instance } from "../incus/types";
import { KEY } from "./instance-config";
import { ownRecord } from "./prepare";
import { removeInstance } from "./remove-instance";
import { readRestoreMark, writeRestoreMark } from "./restore-mark";
import { containerName, parseUserName } from "./user-name";
import { isElsewhere } from "./elsewhere";
import { refuseMoving } from "./own-container";

/**
 * Removes a person's container with its data, and the way into it. Fine when there is none: run it as often as you
 * like. Also removes a jump account of ours that lost its container; never one that leads to another server, where its
 * owner lives.
 *
 * The account goes first, which ends its sessions; a run that stops half-way can be run again.
 *
 * @returns whether there was anything to remove; and the server on which a move that was not completed may have left a
 *   copy: call it there too
 * @throws ConflictError when the container or the account is not ours; nothing was changed then
 */
export async function deleteContainer(
  server: Server,
  user: string,
  options?: RequestOptions,
): Promise<{ deleted: boolean; copyOn?: string }> {
  const name = containerName(parseUserName(user));
  const [instance, account] = await Promise.all([
    findInstance(server, name, options),
    server.helper({ op: "account.check", user }, options),
  ]);
  if (instance?.config[KEY.arriving] === user) {
    // Of a move that was not completed: nobody's home, and no account leads to it.
    await removeInstance(server, name, options);
    return { deleted: true };
  }
  const record = instance && ownRecord(instance, user, server.name);
  if (record !== undefined) refuseMoving(record, server.name);
  if (instance === undefined && account.state === "foreign") {
    throw new ConflictError(`${user} is an account of ${server.name} itself`, {
      server: server.name,
      remedy: "Nothing was changed. Containarium removes only what it made.",
    });
  }
  if (instance === undefined && isElsewhere(account.home)) return { deleted: false };
  // Nothing is there: nothing to record either.
  if (instance === undefined && account.state !== "ours") return { deleted: false };
  return recordOperation(server, { operation: "delete", user }, async () => {
    const removed = account.state === "ours" && (await server.helper({ op: "account.remove", user }, options)).removed;
    if (instance === undefined) return { deleted: removed };
    try {
      const restoring = record && (await readRestoreMark(server, record, options)) !== undefined;
      if (restoring) await mendRestore(server, name, user, options);
      await removeInstance(server, name, options);
      if (restoring) await writeRestoreMark(server, name, undefined, options);
    } catch (error) {
      throw halfDone(error, name, user);
    }
    return { deleted: true, ...(record?.move !== undefined && { copyOn: record.move.to }) };
  });
}

/** An Incus that was killed while it restored a snapshot may have left a disk aside, which nobody would find without this. */
async function mendRestore(server: Server, name: string, user: string, options?: RequestOptions): Promise<void> {
  await server.incus.instances.stop(name, { force: true, ...options });
  await server.helper({ op: "restore.mend", user }, options);
}

async function findInstance(server: Server, name: string, options?: RequestOptions): Promise<Instance | undefined> {
  try {
    return (await server.incus.instances.get(name, options)).value;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function halfDone(error: unknown, name: string, user: string): unknown {
  if (!(error instanceof ContainariumError)) return error;
  return Object.assign(error, {
    leftBehind: `${name}; its jump account is closed already`,
    remedy: error.remedy ?? `Run it again:\n  containarium-ops delete ${user}`,
  });
}
