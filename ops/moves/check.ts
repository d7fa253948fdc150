import { assertFits, ownRecord } from "../containers/prepare";
import type { ContainerRecord } from "../containers/record";
import { formatBytes, parseSize } from "../containers/size";
import { NETWORK, KEY } from "../containers/instance-config";
import { ConflictError, InvalidInputError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Instance } from "../incus/types";

/** What was found where somebody is to go. */
export interface Place {
  gateway: string;
  instances: Instance[];
}

/**
 * Looks whether a container can live on a server. Changes nothing.
 *
 * @throws InvalidInputError when it is too large for that server; ConflictError when there is no room, or its name belongs
 *   to somebody else there
 */
export async function findPlace(
  source: Server,
  target: Server,
  record: ContainerRecord,
  options?: RequestOptions,
): Promise<Place> {
  const [account, status, instances, network, { disk }] = await Promise.all([
    target.helper({ op: "account.check", user: record.user }, options),
    target.helper({ op: "server.status" }, options),
    target.incus.instances.list(options),
    target.incus.networks.get(NETWORK, options),
    source.incus.instances.state(record.name, options),
  ]);
  const details = { server: target.name, remedy: "Nothing was changed. Choose another server." };
  if (account.state === "foreign") {
    throw new ConflictError(`${record.user} is an account of ${target.name} itself`, details);
  }
  const named = instances.find(({ name }) => name === record.name);
  const copy = named?.config[KEY.arriving] === record.user ? named : undefined;
  if (named !== undefined && copy === undefined) {
    ownRecord(named, record.user, target.name);
    throw new ConflictError(`${record.user} has a container on ${source.name} and on ${target.name}`, {
      server: target.name,
      remedy: "Nothing was changed. Look at both with  --host, and delete the one that nobody needs.",
    });
  }
  if (record.diskQuota !== "")
    assertFits({ diskQuota: parseSize(record.diskQuota, "disk quota") }, status, target.name);
  const { totalBytes } = status.memory;
  if (record.memory !== "" && parseSize(record.memory, "memory").bytes > totalBytes) {
    throw new InvalidInputError(
      `${record.name} may use ${record.memory} of memory; ${target.name} has ${formatBytes(totalBytes)}`,
      { server: target.name, remedy: "Nothing was changed. Give it less memory first, or choose another server." },
    );
  }
  const used = disk?.["root"]?.usage ?? 0;
  const free = status.pool.totalBytes - status.pool.usedBytes;
  if (copy === undefined && used > free) {
    const needs = `${record.name} holds ${formatBytes(used)}; ${target.name} has ${formatBytes(free)} free`;
    throw new ConflictError(needs, details);
  }
  return { gateway: network.value.config["ipv4.address"] ?? "", instances };
}
