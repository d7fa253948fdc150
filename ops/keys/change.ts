import { KEY } from "../containers/instance-config";
import { modifyOwn, readOwn } from "../containers/own-container";
import type { ContainerRecord } from "../containers/record";
import { openWayIn } from "../containers/way-in";
import { ConflictError, ContainariumError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Instance } from "../incus/types";
import { endSessions } from "./end-sessions";
import { parsePublicKey, uniqueKeys, type PublicKey } from "./public-key";

const TRIES = 5;

/** A person's keys after a change, and what it changed. */
export interface KeyChange {
  user: string;
  server: string;
  keys: PublicKey[];
  added: PublicKey[];
  /** Those that are shut out now, also when an earlier run did it. */
  removed: PublicKey[];
  /** Whether live sessions were cut, as is done when a key goes. */
  sessionsCut: boolean;
}

/**
 * What the keys are to be.
 * @param current the person's keys
 * @param stale those that an earlier change took away without coming to its end: they may still open something
 */
export type KeyPlan = (current: PublicKey[], stale: PublicKey[]) => PublicKey[];

/**
 * Changes a person's keys at both hops, all or nothing.
 *
 * The record in Incus changes first and remembers the keys from before, until both hops have the new ones and sessions
 * of removed keys are cut. So a run that was killed is completed by running it again, whatever it had done; one that
 * fails puts back what was there. Only when that fails too, something is left, and the error says so.
 *
 * @throws NotFoundError; ConflictError when the container is half-made or not ours; what the plan throws (nothing was
 *   changed then)
 */
export async function changeKeys(
  server: Server,
  user: string,
  plan: KeyPlan,
  options?: RequestOptions,
): Promise<KeyChange> {
  const change = await recordChange(server, user, plan, options);
  const keys = await spread(server, change.record, change.after, options).catch(async (error: unknown) => {
    throw await takeBack(server, change, error);
  });
  const removed = without(change.before, change.after);
  if (removed.length > 0) {
    await endSessions(server, change.record, options).catch((error: unknown) => {
      throw explained(error, user, `the keys of ${user} are changed, but a session of a removed key may still be open`);
    });
  }
  await settle(server, change.record, keys, [], options);
  const added = without(change.after, change.record.keys.map(parse));
  return { user, server: server.name, keys, added, removed, sessionsCut: removed.length > 0 };
}

interface RecordedChange {
  record: ContainerRecord;
  /** All that may open something until the change is complete. */
  before: PublicKey[];
  after: PublicKey[];
}

async function recordChange(
  server: Server,
  user: string,
  plan: KeyPlan,
  options?: RequestOptions,
): Promise<RecordedChange> {
  let before: PublicKey[] = [];
  let after: PublicKey[] = [];
  const decide = (record: ContainerRecord) => {
    const current = record.keys.map(parse);
    const stale = without(record.staleKeys.map(parse), current);
    after = uniqueKeys(plan(current, stale));
    before = [...current, ...stale];
    if (linesOf(after) === linesOf(current)) return undefined;
    return { config: { [KEY.keys]: linesOf(after), [KEY.staleKeys]: linesOf(before) } };
  };
  return { record: await modifyOwn(server, user, decide, options), before, after };
}

/**
 * Writes both hops, and again when somebody changed the record meanwhile: whoever writes last has read last.
 *
 * @returns the keys that are there now
 */
async function spread(
  server: Server,
  record: ContainerRecord,
  wanted: PublicKey[],
  options?: RequestOptions,
): Promise<PublicKey[]> {
  let keys = wanted;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    await openWayIn(server, record, keys, options);
    const now = (await readOwn(server, record.user, options)).keys.map(parse);
    if (linesOf(now) === linesOf(keys)) return keys;
    keys = now;
  }
  throw new ConflictError(`somebody else keeps changing the keys of ${record.user}`, { server: server.name });
}

/** These keys are everywhere: only those are stale that are said to be, unless somebody changed them again meanwhile. */
async function settle(
  server: Server,
  record: ContainerRecord,
  keys: readonly PublicKey[],
  staleLines: readonly string[],
  options?: RequestOptions,
): Promise<void> {
  const stale = staleLines.length === 0 ? undefined : JSON.stringify(staleLines);
  const decide = ({ config }: Instance) => {
    const isOurs = config[KEY.keys] === linesOf(keys) && config[KEY.staleKeys] !== stale;
    return isOurs ? { config: { [KEY.staleKeys]: stale ?? "" } } : undefined;
  };
  await server.incus.instances.modify(record.name, decide, options);
}

/** Puts back what was there. Takes no signal: it must come to its end. @returns the error to throw */
async function takeBack(server: Server, change: RecordedChange, error: unknown): Promise<unknown> {
  const { record, after } = change;
  const current = record.keys.map(parse);
  try {
    let isOurs = true;
    await server.incus.instances.modify(record.name, ({ config }) => {
      isOurs = config[KEY.keys] === linesOf(after);
      return isOurs ? { config: { [KEY.keys]: linesOf(current) } } : undefined;
    });
    // Somebody changed them after us; their run writes both hops.
    if (!isOurs) return error;
    await openWayIn(server, record, current);
    await settle(server, record, current, record.staleKeys);
    return error;
  } catch {
    return explained(error, record.user, `the keys of ${record.user} are changed, but perhaps not at both hops`);
  }
}

/** The same error, so that its class stays, with what is left. */
function explained(error: unknown, user: string, leftBehind: string): unknown {
  if (!(error instanceof ContainariumError)) return error;
  const again = `Run the same command again to complete it, and look at the keys:\n  containarium-ops keys list ${user}`;
  return Object.assign(error, { leftBehind, remedy: [error.remedy, again].filter(Boolean).join("\n") });
}

function linesOf(keys: readonly PublicKey[]): string {
  return JSON.stringify(keys.map(({ line }) => line));
}

/** Keys are the same when their data is, whatever their comments say. */
export function without(keys: readonly PublicKey[], others: readonly PublicKey[]): PublicKey[] {
  const blobs = new Set(others.map(({ blob }) => blob));
  return keys.filter(({ blob }) => !blobs.has(blob));
}

export function parse(line: string): PublicKey {
  return parsePublicKey(line, "a recorded key");
}

/** For the record of operations. */
export function fingerprintsOf(keys: readonly PublicKey[]): string {
  return keys.map(({ fingerprint }) => fingerprint).join(" ");
}
