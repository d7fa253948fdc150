import { chooseAddress } from "../containers/address";
import { readHostKey } from "../containers/guest-files";
import { KEY, POOL } from "../containers/instance-config";
import { addressesOf, settleAddress } from "../containers/make-instance";
import type { ContainerRecord } from "../containers/record";
import { removeInstance } from "../containers/remove-instance";
import { parseSize } from "../containers/size";
import { NotFoundError, OperationError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { InstanceBusyError } from "../incus/incus-error";
import { migrate } from "../incus/migration";
import { waitFor } from "../wait";
import type { OperationData } from "../incus/types";
import type { Place } from "./check";
import { arrivingConfig, devicesAt } from "./configs";

/** Both sides have it: what is newer is told by what is different since. */
export const BASE_SNAPSHOT = "containarium-move";
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

/** Copies all of it while it runs, unless an earlier run did. What it does meanwhile comes with the second pass. */
export async function firstPass(job: CopyJob, options: RequestOptions): Promise<void> {
  const { source, target, record, place } = job;
  if (place.copy?.config[KEY.copied] === "true" && place.copy.config[KEY.movedFrom] === source.name) return;
  // What a killed run had begun, Incus takes back by itself; of a copy made meanwhile it would take the disk.
  await Promise.all([source, target].map((server) => untilIdle(server, record.name, options)));
  await removeInstance(target, record.name, options);
  await dropBase(source, record.name);
  const expires_at = new Date(Date.now() + DAY_MS).toISOString();
  await whenFree(record.name, () => {
    return source.incus.instances.snapshots(record.name).create({ name: BASE_SNAPSHOT, expires_at }, options);
  });
  await wholePass(job, options);
}

/**
 * Brings the difference, once it is stopped. Where the storage cannot (btrfs refuses some snapshots that came from
 * another server themselves), all of it again: slower, and as right.
 */
export async function secondPass(job: CopyJob, options: RequestOptions): Promise<void> {
  const { source, target, record } = job;
  try {
    await pass(job, true, options);
    const [there, here] = await Promise.all(
      [target, source].map(async (server) => {
        const snapshots = await server.incus.instances.snapshots(record.name).list(options);
        return new Set(snapshots.map(({ name }) => name));
      }),
    );
    const missing = [...here!].filter((name) => !there!.has(name));
    if (missing.length > 0) throw new OperationError(`the copy lacks the snapshots ${missing.join(", ")}`);
    await assertWhole(job, options);
  } catch (error) {
    if (!(error instanceof OperationError || error instanceof NotFoundError)) throw error;
    target.logger?.debug({ server: target.name, reason: error.message }, "refresh failed, copying all of it");
    await removeInstance(target, record.name, options);
    await wholePass(job, options);
    await assertWhole(job, options);
  }
}

/** A copy whose disk is not there is no home: it must be seen before the source lets go. */
async function assertWhole({ source, target, record: { name } }: CopyJob, options: RequestOptions): Promise<void> {
  const [here, there] = await Promise.all([source, target].map((server) => readHostKey(server.incus, name, options)));
  if (here !== there) throw new OperationError(`the copy of ${name} is not whole`, { server: target.name });
}

async function wholePass(job: CopyJob, options: RequestOptions): Promise<void> {
  const { target, record, place } = job;
  await pass(job, false, options);
  const { value: copy } = await target.incus.instances.get(record.name, options);
  const address = copy.devices["eth0"]?.["ipv4.address"] ?? "";
  const spec = { name: record.name, diskQuota: parseSize(record.diskQuota, "disk quota") };
  await settleAddress(target, { spec, gateway: place.gateway, address }, options);
  // A copy would have Incus write files of its own into it at the first start: it is the same machine as before.
  await target.incus.instances.patch(
    record.name,
    { config: { [KEY.copied]: "true", "volatile.apply_template": "" } },
    options,
  );
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
  await whenFree(record.name, () => migrate(migration, options));
}

/** Waits until no operation works on it any more. */
async function untilIdle(server: Server, name: string, options: RequestOptions): Promise<void> {
  const isBusy = async () => {
    const byStatus = await server.incus.get<Record<string, OperationData[]> | null>(
      "/1.0/operations?recursion=1",
      options,
    );
    const resources = Object.values(byStatus ?? {}).flat();
    return resources.some(({ status_code, resources: used }) => {
      const paths = Object.values(used ?? {}).flat();
      return status_code < 200 && paths.some((path) => path === `/1.0/instances/${name}`);
    });
  };
  await waitFor(async () => !(await isBusy()), {
    timeoutMs: BUSY_TIMEOUT_MS,
    what: `an earlier copy of ${name} to end on ${server.name}`,
    server: server.name,
    signal: options.signal,
  });
}

/** Fine when there is none. */
export async function dropBase(server: Server, name: string): Promise<void> {
  try {
    await server.incus.instances.snapshots(name).delete(BASE_SNAPSHOT);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}

async function whenFree(name: string, work: () => Promise<void>): Promise<void> {
  await waitFor(
    async () => {
      try {
        await work();
        return true;
      } catch (error) {
        if (error instanceof InstanceBusyError) return false;
        throw error;
      }
    },
    { timeoutMs: BUSY_TIMEOUT_MS, what: `${name} to be free for a copy` },
  );
}
