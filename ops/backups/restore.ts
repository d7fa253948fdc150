import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import { recordOperation } from "../audit/record-operation";
import { chooseAddress, staticZone } from "../containers/address";
import type { Container } from "../containers/container";
import { finish } from "../containers/finish";
import { writeUserFile } from "../containers/guest-files";
import { KEY, NETWORK, POOL, renderDevices, renderIdentity, renderLimits } from "../containers/instance-config";
import { addressesOf, settleAddress, startSettled } from "../containers/make-instance";
import { assertFits } from "../containers/prepare";
import { readRecord, type ContainerRecord } from "../containers/record";
import { removeInstance } from "../containers/remove-instance";
import { withRollback } from "../containers/rollback";
import { assertRoom } from "../containers/room";
import { assertHasKey, resolveSpec, type ResolvedSpec } from "../containers/spec";
import { containerName, parseUserName } from "../containers/user-name";
import { openWayIn } from "../containers/way-in";
import { ConflictError, InvalidInputError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { IncusError } from "../incus/incus-error";
import type { Import } from "../incus/instances";
import type { Config, Instance } from "../incus/types";
import { readArchive, type ArchivedInstance } from "./archive";
import { renameAccount } from "./rename-account";

export interface RestoreOptions extends RequestOptions {
  /** Keys that let the person in. Default: those of the backup. */
  sshKeys?: string[];
}

interface Who {
  user: string;
  name: string;
}

/** A container that came back, and the keys that open it. */
export interface Restored {
  container: Container;
  /** Key lines. */
  keys: string[];
}

/**
 * Makes a person's container from an archive that `backupContainer` wrote, on this server or another, for the same
 * person or another; returns when SSH answers.
 *
 * The same person keeps everything: keys, limits, host key, and the address if it is free here. Another person gets the
 * data and limits, and an account, a host key and a machine id of their own. One that fails leaves nothing.
 *
 * @throws ConflictError when the person has a container already, or there is no room; InvalidInputError when the archive
 *   holds none of ours
 */
export async function restoreContainer(
  server: Server,
  user: string,
  source: Readable,
  options: RestoreOptions = {},
): Promise<Restored> {
  return recordOperation(server, { operation: "restore", user }, () => restore(server, user, source, options));
}

async function restore(
  server: Server,
  user: string,
  source: Readable,
  { sshKeys, ...options }: RestoreOptions,
): Promise<Restored> {
  const who = { user: parseUserName(user), name: containerName(user) };
  const archive = await readArchive(source);
  const record = readRecord(archive.instance as Instance);
  if (record === undefined) throw notOurs(server.name);
  const spec = specOf(record, user, sshKeys);
  await assertNobodyThere(server, who, options);
  const { gateway, address: wished } = await chooseHome(server, record, spec, options);
  const run = randomUUID();
  const config = { ...configOf(archive.instance, spec), [KEY.state]: "creating", [KEY.run]: run };
  return withRollback(server, spec, run, async (made) => {
    made.instance = true;
    const rewritten = archive.rewritten(config, renderDevices(spec, wished));
    await importArchive(server, { name: spec.name, pool: POOL, archive: rewritten }, options);
    const settled = await settleAddress(server, { spec, gateway, address: wished }, options);
    if (record.user !== user) await renameAccount(server.incus.instances.files(spec.name), record.user, user, options);
    await writeUserFile(server.incus, spec.name, spec, options);
    made.account = "maybe";
    await openWayIn(server, { ...spec, address: settled }, spec.keys, options);
    made.account = true;
    const address = await startSettled(server, { spec, gateway, address: settled }, options);
    if (address !== settled) await openWayIn(server, { ...spec, address }, spec.keys, options);
    return {
      container: await finish(server, { spec, address, run }, options),
      keys: spec.keys.map(({ line }) => line),
    };
  });
}

/** A half-made one was left by a run that was killed, and nobody ever used it: it goes. */
async function assertNobodyThere(server: Server, { user, name }: Who, options: RequestOptions): Promise<void> {
  // Of what that run had begun to send, Incus takes back what it has.
  await server.incus.instances.untilIdle(name, options);
  const [instances, account] = await Promise.all([
    server.incus.instances.list(options),
    server.helper({ op: "account.check", user }, options),
  ]);
  const there = instances.find((instance) => instance.name === name);
  const record = there && readRecord(there);
  if (record?.state === "creating") return removeInstance(server, name, options);
  if (there === undefined && account.state !== "foreign") return;
  const what = there === undefined ? `${user} is an account of ${server.name} itself` : `${name} exists already`;
  throw new ConflictError(what, { server: server.name, remedy: "Nothing was changed. Restore under another name." });
}

/** The address that it had, if it is free here. */
async function chooseHome(
  server: Server,
  { address }: ContainerRecord,
  { name, diskQuota }: ResolvedSpec,
  options: RequestOptions,
) {
  const [network, instances, status] = await Promise.all([
    server.incus.networks.get(NETWORK, options),
    server.incus.instances.list(options),
    server.helper({ op: "server.status" }, options),
  ]);
  assertFits({ diskQuota }, status, server.name);
  assertRoom(status, instances.length, server.name);
  const gateway = network.value.config["ipv4.address"] ?? "";
  const used = addressesOf(instances, name);
  const isFree = staticZone(gateway).includes(address) && !used.includes(address);
  return { gateway, address: isFree ? address : chooseAddress(gateway, used) };
}

async function importArchive(server: Server, archive: Import, options: RequestOptions): Promise<void> {
  try {
    await server.incus.instances.import(archive, options);
  } catch (error) {
    if (!(error instanceof IncusError) || !/backup|archive|tar|compress|magic|EOF/i.test(error.message)) throw error;
    throw new InvalidInputError(`this is no whole backup of a container: ${error.message}`, {
      server: server.name,
      remedy: "Give a file that was written by:\n  containarium-ops backup USER -o FILE",
      cause: error,
    });
  }
}

function specOf(record: ContainerRecord, user: string, sshKeys: string[] | undefined): ResolvedSpec {
  const { cpu, memory, diskQuota, processes, autostart, docker, keys } = record;
  const spec = resolveSpec({
    user,
    sshKeys: sshKeys ?? keys,
    cpu,
    memory,
    diskQuota,
    processes: processes || undefined,
    autostart,
    docker,
  });
  assertHasKey(spec);
  return spec;
}

/** All but what must be its own: two machines with one MAC address or one uuid would not be apart. */
function configOf({ config }: ArchivedInstance, spec: ResolvedSpec): Config {
  const kept = Object.entries(config).filter(([key]) => {
    return (!key.startsWith("volatile.") || /^volatile\.(base_image|.*idmap.*)$/.test(key)) && key !== KEY.staleKeys;
  });
  return { ...Object.fromEntries(kept), ...renderIdentity(spec), ...renderLimits(spec) };
}

function notOurs(server: string): InvalidInputError {
  return new InvalidInputError("the archive holds a container that containarium did not make", { server });
}
