import { chooseAddress } from "../containers/address";
import { KEY, POOL } from "../containers/instance-config";
import { addressesOf, settleAddress } from "../containers/make-instance";
import type { ContainerRecord } from "../containers/record";
import { removeInstance } from "../containers/remove-instance";
import { parseSize } from "../containers/size";
import { ConflictError, NotFoundError, OperationError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { whenFree } from "../incus/instance-waits";
import { migrate } from "../incus/migration";
import type { Place } from "./check";
import { arrivingConfig, devicesAt } from "./configs";

/** Both sides have it: what is newer is told by what is different since. */
export const BASE_SNAPSHOT = "containarium-move";
/** In the disk that is moved, from the moment when it stands still; says which run made it. */
const MARK_FILE = "/etc/containarium-move";
const DAY_MS = 86_400_000;
/** What a run that was killed had begun ends when its connections do. */
const BUSY_TIMEOUT_MS = 120_000;

export interface CopyJob {
  source: Server;
  target: Server;
  record: ContainerRecord;
  place: Place;
  onProgress: ((bytes: number) => void) | undefined;
}

/**
 * Copies all of it while it runs. What it does meanwhile comes with the second pass. A copy of a run that was killed is
 * not gone on with: nobody knows how far it came.
 *
 * @throws OperationError when the target has a disk of that name with somebody's files, which stays
 */
export async function firstPass(job: CopyJob, options: RequestOptions): Promise<void> {
  const { source, target, record } = job;
  // What a killed run had begun, Incus takes back by itself; of a copy made meanwhile it would take the disk.
  await Promise.all([source, target].map((server) => server.incus.instances.untilIdle(record.name, options)));
  await discardCopy(target, record, options);
  await dropBase(source, record.name);
  const expires_at = new Date(Date.now() + DAY_MS).toISOString();
  await whenFree({ name: record.name, server: source.name, timeoutMs: BUSY_TIMEOUT_MS }, () => {
    return source.incus.instances.snapshots(record.name).create({ name: BASE_SNAPSHOT, expires_at }, options);
  });
  await wholePass(job, options);
}

/**
 * Brings the difference, once it is stopped. Where the storage cannot (btrfs refuses some snapshots that came from
 * another server themselves), all of it again: slower, and as right.
 *
 * What Incus says of it is not enough: a refresh on btrfs (6.0.4) may end well and leave an old disk, or none. So the disk
 * is marked when it stands still, and the copy is believed when it has that mark.
 *
 * @throws OperationError when the copy is not the disk as it is now
 */
export async function secondPass(job: CopyJob, run: string, options: RequestOptions): Promise<void> {
  const { source, target, record } = job;
  await source.incus.instances.files(record.name).put(MARK_FILE, run, {}, options);
  try {
    await pass(job, true, options);
    await assertWhole(job, run, options);
  } catch (error) {
    if (!(error instanceof OperationError || error instanceof NotFoundError)) throw error;
    target.logger?.debug({ server: target.name, reason: error.message }, "refresh failed, copying all of it");
    await discardCopy(target, record, options);
    await wholePass(job, options);
    await assertWhole(job, run, options);
  }
}

async function assertWhole({ source, target, record }: CopyJob, run: string, options: RequestOptions): Promise<void> {
  if (!(await hasMark(target, record.name, run, options)))
    throw new OperationError("the copy is not the disk as it is now", { server: target.name });
  const [there, here] = await Promise.all(
    [target, source].map(async (server) => {
      const snapshots = await server.incus.instances.snapshots(record.name).list(options);
      return new Set(snapshots.map(({ name }) => name));
    }),
  );
  const missing = [...here!].filter((name) => !there!.has(name));
  if (missing.length > 0) throw new OperationError(`the copy lacks the snapshots ${missing.join(", ")}`);
}

/** Whether its disk is the one that stood still in that run. */
export async function hasMark(server: Server, name: string, run: string, options?: RequestOptions): Promise<boolean> {
  const mark = await server.incus.instances
    .files(name)
    .get(MARK_FILE, options)
    .catch((error: unknown) => {
      if (error instanceof OperationError || error instanceof NotFoundError) return undefined;
      throw error;
    });
  return mark?.toString("utf8") === run;
}

/** Fine when there is none. */
export async function dropMark(server: Server, name: string): Promise<void> {
  try {
    await server.incus.instances.files(name).delete(MARK_FILE);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}

/** Removes a copy that is nobody's home, if there is one; also one whose disk a refresh that was cut off has taken away. */
export async function discardCopy(
  target: Server,
  { user, name }: Pick<ContainerRecord, "user" | "name">,
  options?: RequestOptions,
): Promise<void> {
  const there = await target.incus.instances.get(name, options).catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  });
  if (there === undefined) return;
  const { [KEY.arriving]: arriving, [KEY.state]: state } = there.value.config;
  if (arriving !== user && state !== "arriving")
    throw new ConflictError(`${name} on ${target.name} is no copy on its way there`, { server: target.name });
  try {
    await removeInstance(target, name, options);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const { mended } = await target.helper({ op: "copy.mend", user }, options);
    if (!mended) throw error;
    await removeInstance(target, name, options);
  }
}

async function wholePass(job: CopyJob, options: RequestOptions): Promise<void> {
  const { target, record, place } = job;
  // What Incus receives on ZFS takes the place of a disk that stands there without an instance, whatever is on it.
  await target.helper({ op: "create.mend", user: record.user }, options);
  await pass(job, false, options);
  const { value: copy } = await target.incus.instances.get(record.name, options);
  const address = copy.devices["eth0"]?.["ipv4.address"] ?? "";
  const spec = { name: record.name, diskQuota: parseSize(record.diskQuota, "disk quota") };
  await settleAddress(target, { spec, gateway: place.gateway, address }, options);
  // A copy would have Incus write files of its own into it at the first start: it is the same machine as before.
  await target.incus.instances.patch(record.name, { config: { "volatile.apply_template": "" } }, options);
}

async function pass({ source, target, record, place, onProgress }: CopyJob, refresh: boolean, options: RequestOptions) {
  const { value: instance } = await source.incus.instances.get(record.name, options);
  const address = chooseAddress(place.gateway, addressesOf(place.instances, record.name));
  const devices = devicesAt(instance, address);
  const copy = {
    name: record.name,
    type: "container" as const,
    architecture: instance.architecture,
    description: instance.description,
    profiles: [],
    config: arrivingConfig(instance, record.user, source.name),
    devices: devices["root"] === undefined ? devices : { ...devices, root: { ...devices["root"], pool: POOL } },
  };
  const migration = { source: source.incus, target: target.incus, instance: copy, refresh, onProgress };
  const patience = { name: record.name, server: target.name, timeoutMs: BUSY_TIMEOUT_MS };
  await whenFree(patience, () => migrate(migration, options));
}

/** Fine when there is none. */
export async function dropBase(server: Server, name: string): Promise<void> {
  try {
    await server.incus.instances.snapshots(name).delete(BASE_SNAPSHOT);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}
