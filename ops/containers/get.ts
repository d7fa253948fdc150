import { NotFoundError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { InstanceFull } from "../incus/types";
import type { Container } from "./container";
import { describeContainer, statusOf } from "./describe";
import { probeSsh } from "./probe";
import { readRecord } from "./record";
import { containerName, parseUserName } from "./user-name";

/**
 * One person's container, with the truth about its SSH.
 *
 * @throws NotFoundError when this server has none for this user
 */
export async function getContainer(server: Server, user: string, options?: RequestOptions): Promise<Container> {
  const name = containerName(parseUserName(user));
  return readContainer(server, { user, name }, options);
}

export async function readContainer(
  server: Server,
  who: { user: string; name: string },
  options?: RequestOptions,
): Promise<Container> {
  return (await readFull(server, who, options)).container;
}

/** Also as Incus has it, with its state. */
export async function readFull(
  server: Server,
  { user, name }: { user: string; name: string },
  options?: RequestOptions,
): Promise<{ container: Container; instance: InstanceFull }> {
  const [instance, { accounts }] = await Promise.all([
    findInstance(server, name, options),
    server.helper({ op: "account.list" }, options),
  ]);
  const record = instance === undefined ? undefined : readRecord(instance);
  if (instance === undefined || record?.user !== user) {
    throw new NotFoundError(`${user} has no container on ${server.name}`, {
      server: server.name,
      remedy: "See who has one:\n  containarium-ops list",
    });
  }
  const ssh = instance.status === "Running" ? await probeSsh(server, record.address) : "silent";
  const account = accounts.find((candidate) => candidate.user === user);
  const evidence = { instance: instance.status, account, ssh, startedAt: instance.last_used_at };
  return { container: describeContainer(record, statusOf(record, evidence), server.name), instance };
}

async function findInstance(server: Server, name: string, options?: RequestOptions): Promise<InstanceFull | undefined> {
  try {
    return await server.incus.instances.getFull(name, options);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
