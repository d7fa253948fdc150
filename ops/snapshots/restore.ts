import { recordOperation } from "../audit/record-operation";
import type { Container } from "../containers/container";
import { readContainer } from "../containers/get";
import { writeUserFile } from "../containers/guest-files";
import { KEY } from "../containers/instance-config";
import { readOwn } from "../containers/own-container";
import type { ContainerRecord } from "../containers/record";
import { startContainer } from "../containers/start";
import { stopContainer } from "../containers/stop";
import { openWayIn } from "../containers/way-in";
import { ContainariumError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Config, Instance, InstanceChange } from "../incus/types";
import { parsePublicKey } from "../keys/public-key";
import { findSnapshot } from "./find";

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
  const record = await readOwn(server, user, options);
  await findSnapshot(server, record, name, options);
  const { value: before } = await server.incus.instances.get(record.name, options);
  const keys = await presentKeys(server, record, options);
  if (before.status === "Running") await stopContainer(server, user, options);
  await server.incus.instances.snapshots(record.name).restore(name, options);
  try {
    // From here to the end nobody may interrupt: until then the disk's old keys are there.
    const present = { ...before.config, [KEY.keys]: JSON.stringify(keys) };
    await server.incus.instances.modify(record.name, (restored) => backTo({ ...before, config: present }, restored));
    await writeUserFile(server.incus, record.name, record);
    await openWayIn(server, record, keys.map(parse));
  } catch (error) {
    throw explained(error, user, name);
  }
  if (before.status === "Running") return startContainer(server, user, options);
  return readContainer(server, record, options);
}

/**
 * The keys that the jump account has. They are those of the record, but when an earlier run was killed right after Incus
 * had put the old record back: then only the account still has the right ones.
 */
async function presentKeys(server: Server, record: ContainerRecord, options?: RequestOptions): Promise<string[]> {
  const { accounts } = await server.helper({ op: "account.list" }, options);
  return accounts.find(({ user }) => user === record.user)?.keys ?? record.keys;
}

/** What to change so that config and devices are those of before the restore. Incus keeps `volatile.*` for itself. PURE. */
export function backTo(before: Instance, restored: Instance): InstanceChange {
  const config: Config = {};
  for (const key of Object.keys({ ...before.config, ...restored.config })) {
    if (key.startsWith("volatile.") || before.config[key] === restored.config[key]) continue;
    config[key] = before.config[key] ?? "";
  }
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
