import { recordOperation } from "../audit/record-operation";
import type { Server } from "../host/server";
import { sshTimeoutSeconds } from "../host/ssh-timeout";
import type { RequestOptions } from "../incus/client";
import type { Container } from "./container";
import { readContainer } from "./get";
import { readOwn } from "./own-container";
import type { ContainerRecord } from "./record";

/**
 * Starts a person's container; returns when SSH answers on the person's own way. Fine when it runs already.
 *
 * @throws NotFoundError; ConflictError when it is half-made or not ours; OperationError when SSH does not answer
 */
export async function startContainer(server: Server, user: string, options?: RequestOptions): Promise<Container> {
  return recordOperation(server, { operation: "start", user }, () => start(server, user, options));
}

async function start(server: Server, user: string, options?: RequestOptions): Promise<Container> {
  const record = await readOwn(server, user, options);
  await server.incus.instances.cleanedUp(record.name, options);
  await server.incus.instances.start(record.name, options);
  await untilReachable(server, record, options);
  return readContainer(server, record, options);
}

/** Whom no key lets in, nobody has to reach. */
async function untilReachable(server: Server, record: ContainerRecord, options?: RequestOptions): Promise<void> {
  const { user, address: target, keys } = record;
  if (keys.length === 0) return;
  await server.helper({ op: "path.verify", user, target, timeoutSeconds: sshTimeoutSeconds() }, options);
}
