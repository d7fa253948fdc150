import { ConflictError, InvalidInputError, type ErrorDetails } from "../errors";
import type { Home, ServerStatus } from "../host/helper-protocol";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Instance } from "../incus/types";
import { chooseImage, type GoldenImage } from "./image";
import { KEY, NETWORK } from "./instance-config";
import { readRecord, type ContainerRecord } from "./record";
import { assertRoom } from "./room";
import { formatBytes } from "./size";
import type { ResolvedSpec } from "./spec";

/** What was found on the server before anything is changed. */
export interface Findings {
  image: GoldenImage;
  /** Address of the container bridge, with prefix. */
  gateway: string;
  instances: Instance[];
  /** The container of that name, if it is there and ours. */
  existing: ContainerRecord | undefined;
  /** Where the container is to which the jump account leads; undefined when there is no account. */
  home: Home | undefined;
}

/**
 * Looks at all that a create depends on, and refuses what cannot become right. Changes nothing.
 *
 * @throws ConflictError when the account or the container belongs to somebody else, or the server has no room for one
 *   more; InvalidInputError when the server has no such image or no such space
 */
export async function prepare(server: Server, spec: ResolvedSpec, options?: RequestOptions): Promise<Findings> {
  const [account, status, instances, images, network] = await Promise.all([
    server.helper({ op: "account.check", user: spec.user }, options),
    server.helper({ op: "server.status" }, options),
    server.incus.instances.list(options),
    server.incus.images.list(options),
    server.incus.networks.get(NETWORK, options),
  ]);
  const nothing = "Nothing was changed.";
  if (account.state === "foreign") {
    throw new ConflictError(`${spec.user} is an account of ${server.name} itself`, {
      server: server.name,
      remedy: `${nothing} Choose another name.`,
    });
  }
  const existing = findOwn(instances, spec, server.name);
  if (existing === undefined) {
    assertFits(spec, status, server.name);
    assertRoom(status, instances.length, server.name);
  }
  return {
    image: chooseImage(images, spec.image ?? existing?.image, server.name),
    gateway: network.value.config["ipv4.address"] ?? "",
    instances,
    existing,
    home: account.home,
  };
}

/** The user's container among all; throws when its name is taken by something else. */
export function findOwn(
  instances: readonly Instance[],
  { user, name }: { user: string; name: string },
  server: string,
): ContainerRecord | undefined {
  const instance = instances.find((candidate) => candidate.name === name);
  return instance === undefined ? undefined : ownRecord(instance, user, server);
}

/** What an instance says, if it is this user's. @throws ConflictError when it is not ours, or somebody else's */
export function ownRecord(instance: Instance, user: string, server: string): ContainerRecord {
  const record = readRecord(instance);
  if (record?.user === user) return record;
  if (instance.config[KEY.arriving] === user) throw unfinishedCopy(instance, user, server);
  const owner = record === undefined ? "was not made by containarium" : `belongs to ${record.user}`;
  const details: ErrorDetails = { server, remedy: "Nothing was changed. Choose another name." };
  throw new ConflictError(`the container ${instance.name} on ${server} ${owner}`, details);
}

function unfinishedCopy({ name, config }: Instance, user: string, server: string): ConflictError {
  const from = config[KEY.movedFrom] ?? "another server";
  return new ConflictError(`${server} has a copy of ${name} from ${from}, of a move that was not completed`, {
    server,
    remedy: `Nothing was changed. Complete it, or remove it:\n  containarium-ops move ${user} --to ${server}\n  containarium-ops delete ${user}`,
  });
}

/** @throws InvalidInputError when the disk quota is larger than the server's whole pool */
export function assertFits(spec: Pick<ResolvedSpec, "diskQuota">, { pool }: ServerStatus, server: string): void {
  if (spec.diskQuota.bytes <= pool.totalBytes) return;
  throw new InvalidInputError(
    `disk quota ${spec.diskQuota.text} is larger than the whole pool of ${server} (${formatBytes(pool.totalBytes)})`,
    { server, remedy: "Nothing was changed. Give a smaller disk quota." },
  );
}
