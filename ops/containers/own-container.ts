import { ConflictError, NotFoundError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Instance, InstanceChange } from "../incus/types";
import { ownRecord } from "./prepare";
import type { ContainerRecord } from "./record";
import { refuseRestoring } from "./restore-mark";
import { containerName, parseUserName } from "./user-name";

/**
 * What is recorded of a person's container that is there and complete.
 *
 * @throws NotFoundError; ConflictError when it is half-made or not ours
 */
export async function readOwn(server: Server, user: string, options?: RequestOptions): Promise<ContainerRecord> {
  return modifyRecord(server, user, () => undefined, options);
}

/**
 * Changes a person's complete container; `decide` sees what is and says what to change (see Instances.modify).
 *
 * @returns the record from before the change
 * @throws as readOwn, and what `decide` throws (nothing was changed then); ConflictError when a restore of a snapshot was
 *   not completed
 */
export async function modifyOwn(
  server: Server,
  user: string,
  decide: (record: ContainerRecord, instance: Instance) => InstanceChange | undefined,
  options?: RequestOptions,
): Promise<ContainerRecord> {
  await refuseRestoring(server, await readOwn(server, user, options), options);
  return modifyRecord(server, user, decide, options);
}

async function modifyRecord(
  server: Server,
  user: string,
  decide: (record: ContainerRecord, instance: Instance) => InstanceChange | undefined,
  options?: RequestOptions,
): Promise<ContainerRecord> {
  let seen: ContainerRecord | undefined;
  const name = containerName(parseUserName(user));
  const decideOwn = (instance: Instance): InstanceChange | undefined => {
    seen = ownRecord(instance, user, server.name);
    if (seen.state === "creating") throw halfMade(seen, server.name);
    refuseMoving(seen, server.name);
    return decide(seen, instance);
  };
  await server.incus.instances.modify(name, decideOwn, options).catch((error: unknown) => {
    if (!(error instanceof NotFoundError) || seen !== undefined) throw error;
    throw new NotFoundError(`${user} has no container on ${server.name}`, { server: server.name, cause: error });
  });
  return seen!;
}

/** @throws ConflictError while it is handed from one server to another */
export function refuseMoving({ user, name, state, move }: ContainerRecord, server: string): void {
  if (state !== "leaving" && state !== "arriving") return;
  const to = state === "arriving" ? server : (move?.to ?? "SERVER");
  throw new ConflictError(`${name} is being moved to ${to}`, {
    server,
    remedy: `If nobody is at it any more, complete it first:\n  containarium-ops move ${user} --to ${to}`,
  });
}

function halfMade({ user, name }: ContainerRecord, server: string): ConflictError {
  return new ConflictError(`${name} is half-made`, {
    server,
    remedy: `Complete it first:\n  containarium-ops create ${user} --ssh-key FILE`,
  });
}
