import { recordOperation } from "../audit/record-operation";
import type { Container } from "../containers/container";
import { readContainer } from "../containers/get";
import { writeUserFile } from "../containers/guest-files";
import { KEY } from "../containers/instance-config";
import { readOwn } from "../containers/own-container";
import { readRecord, type ContainerRecord } from "../containers/record";
import { isOfIncus, readRestoreMark, restoreMark, writeRestoreMark } from "../containers/restore-mark";
import { startContainer } from "../containers/start";
import { stopContainer } from "../containers/stop";
import { openWayIn } from "../containers/way-in";
import { ContainariumError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { IncusError, InstanceBusyError } from "../incus/incus-error";
import { LAST_POWER } from "../incus/instances";
import type { Config, Instance, InstanceChange } from "../incus/types";
import { parsePublicKey } from "../keys/public-key";
import { waitFor } from "../wait";
import { findSnapshot } from "./find";

/** For what Incus is at, by a run before, to come to its end. */
const BUSY_TIMEOUT_MS = 60_000;

/**
 * Puts a person's disk back to what it was. What is the administrator's stays as it is now: keys, limits, address; else
 * a key that was shut out since would come back with the old disk.
 *
 * It is stopped meanwhile, and started again if it ran.
 *
 * @throws NotFoundError; ConflictError when it is half-made or not ours; `leftBehind` says what is not as it was
 */
export async function restoreSnapshot(
  server: Server,
  user: string,
  name: string,
  options?: RequestOptions,
): Promise<Container> {
  return recordOperation(server, { operation: "snapshot restore", user, detail: name }, () =>
    restore(server, user, name, options),
  );
}

async function restore(server: Server, user: string, name: string, options?: RequestOptions): Promise<Container> {
  const there = await readOwn(server, user, options);
  await findSnapshot(server, there, name, options);
  const { value: found } = await server.incus.instances.get(there.name, options);
  const unfinished = await readRestoreMark(server, there, options);
  const before = unfinished ? { ...found, ...unfinished } : await withPresentKeys(server, found, user, options);
  const record = readRecord(before)!;
  const running = found.status === "Running" || unfinished?.running === true;
  await writeRestoreMark(server, there.name, restoreMark(before, name, running), options);
  if (found.status === "Running") await stopContainer(server, user, options);
  // It may be on its way to its end, or to its start, by a run before this one.
  else await server.incus.instances.stop(there.name, { ...options, force: true });
  await putBack(server, record, name, options);
  try {
    // From here to the end nobody may interrupt: until then the disk's old keys are there.
    await server.incus.instances.modify(record.name, (restored) => backTo(before, restored));
    await writeUserFile(server.incus, record.name, record);
    await openWayIn(server, record, record.keys.map(parse));
  } catch (error) {
    throw explained(error, user, name);
  }
  if (running) await start(server, record, options);
  await writeRestoreMark(server, record.name, undefined);
  return readContainer(server, record, options);
}

async function putBack(server: Server, { user, name }: ContainerRecord, snapshot: string, options?: RequestOptions) {
  const { instances } = server.incus;
  const isBack = async () => {
    try {
      await instances.snapshots(name).restore(snapshot, options);
      return true;
    } catch (error) {
      if (error instanceof InstanceBusyError) {
        await instances.stop(name, { ...options, force: true });
        return false;
      }
      // An Incus that was killed at the same has left the old disk aside, and stumbles over it (6.0.4, btrfs).
      if (!(error instanceof IncusError) || !/\.incustmp: file exists/.test(error.message)) throw error;
      const { mended } = await server.helper({ op: "restore.mend", user }, options);
      if (!mended) throw error;
      return false;
    }
  };
  const what = `Incus to put back the disk of ${name}`;
  await waitFor(isBack, { timeoutMs: BUSY_TIMEOUT_MS, what, server: server.name, signal: options?.signal });
}

/** One that runs has all that it had, whether or not its SSH answers: then nothing is left to complete. */
async function start(server: Server, { user, name }: ContainerRecord, options?: RequestOptions): Promise<void> {
  try {
    await startContainer(server, user, options);
  } catch (error) {
    const { value: now } = await server.incus.instances.get(name);
    if (now.status === "Running") await writeRestoreMark(server, name, undefined);
    throw error;
  }
}

/** The keys that the jump account has are those that hold, whatever an unfinished restore of an older version has left. */
async function withPresentKeys(
  server: Server,
  found: Instance,
  user: string,
  options?: RequestOptions,
): Promise<Instance> {
  const { accounts } = await server.helper({ op: "account.list" }, options);
  const keys = accounts.find((account) => account.user === user)?.keys;
  return keys === undefined ? found : { ...found, config: { ...found.config, [KEY.keys]: JSON.stringify(keys) } };
}

/** What to change so that config and devices are those of before the restore. PURE. */
export function backTo(before: Instance, restored: Instance): InstanceChange {
  const config: Config = {};
  for (const key of Object.keys({ ...before.config, ...restored.config })) {
    const wanted = before.config[key];
    if (isOfIncus(key) || wanted === restored.config[key]) continue;
    // The mark of an older version knows no MAC address.
    if (wanted === undefined && key.startsWith("volatile.")) continue;
    config[key] = wanted ?? "";
  }
  // It ran when the snapshot was made; now whoever starts it would wait for Incus to note its end.
  if (restored.status === "Stopped" && restored.config[LAST_POWER] === "RUNNING") config[LAST_POWER] = "STOPPED";
  return { config, devices: before.devices };
}

function parse(line: string) {
  return parsePublicKey(line, "a recorded key");
}

function explained(error: unknown, user: string, name: string): unknown {
  if (!(error instanceof ContainariumError)) return error;
  return Object.assign(error, {
    leftBehind: `the disk of ${user} is that of ${name}, but keys and limits are perhaps not those of now; it is stopped`,
    remedy: `Run it again to complete it:\n  containarium-ops snapshot restore ${user} ${name} --force`,
  });
}
