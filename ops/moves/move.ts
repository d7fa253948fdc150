import { randomUUID } from "node:crypto";
import { recordOperation } from "../audit/record-operation";
import type { Container } from "../containers/container";
import { getContainer } from "../containers/get";
import { KEY } from "../containers/instance-config";
import { readRecord, type ContainerRecord } from "../containers/record";
import { startContainer } from "../containers/start";
import { stopContainer } from "../containers/stop";
import { containerName, parseUserName } from "../containers/user-name";
import { refuseMoving } from "../containers/own-container";
import { ConflictError, ContainariumError, NotFoundError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { throwIfInterrupted } from "../wait";
import { findPlace } from "./check";
import { discardCopy, dropBase, dropMark, firstPass, hasMark, secondPass, type CopyJob } from "./copy";
import { arrive, clearSource, comeBack, letGo, settle, SilentCopyError, writeMark } from "./hand-over";

/** The servers among which somebody moves: a Fleet is one. */
export interface MoveServers {
  server(name: string): Promise<Server>;
  find(user: string): Promise<{ server: Server } | undefined>;
}

export interface MoveOptions {
  onStep?: (title: string, detail: string) => void;
  /** What was carried until now, of the pass that is running. */
  onProgress?: (bytes: number) => void;
  /** Gives up, and puts back what was; not any more once the old place has let go. */
  signal?: AbortSignal;
}

export interface Moved {
  container: Container;
  /** Name of the server that it left; undefined when it was there already. */
  from: string | undefined;
  /** How long nobody could work; 0 when it did not run. */
  stoppedMilliseconds: number;
}

/**
 * Moves a person's container to another server, with data, snapshots, keys and host key. It goes on while the most of it
 * is copied; it is stopped for the difference, and until SSH answers at the new place. Only then the old one is deleted.
 *
 * Until the old place has let go, it is the home, and a run that fails puts back what was. From then on the new one is,
 * and a run that was killed is completed by the next. The copy is nobody's before, see arrivingConfig.
 *
 * @throws NotFoundError for an unknown person or server; InvalidInputError, ConflictError (nothing was changed)
 */
export async function moveContainer(
  servers: MoveServers,
  user: string,
  to: string,
  options: MoveOptions = {},
): Promise<Moved> {
  const name = containerName(parseUserName(user));
  const target = await servers.server(to);
  const found = await servers.find(user);
  if (found === undefined) {
    throw new NotFoundError(`${user} has no container`, { remedy: "See who has one:\n  containarium-ops list" });
  }
  const record = await readState(found.server, name);
  if (found.server.name === to) return atHome(servers, target, record, options);
  if (record.state === "creating") throw halfMade(record, found.server.name);
  if (record.move?.to !== to) refuseMoving(record, found.server.name);
  return recordOperation(found.server, { operation: "move", user, detail: `to ${to}` }, () =>
    between(found.server, target, record, options),
  );
}

/** It is there: nothing to do, but for what an earlier run did not come to. */
async function atHome(
  servers: MoveServers,
  target: Server,
  record: ContainerRecord,
  options: MoveOptions,
): Promise<Moved> {
  const { user, name, state, movedFrom, move } = record;
  if (state === "leaving" && move !== undefined) {
    // Towards a server that the fleet does not have any more: the other copy went with it.
    if (await exists(servers, move.to)) refuseMoving(record, target.name);
    await comeBack(target, name);
  } else if (movedFrom !== undefined && movedFrom !== "") {
    const source = await servers.server(movedFrom).catch((error: unknown) => {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    });
    if (state === "arriving" && source !== undefined) return between(source, target, record, options);
    if (source !== undefined) await clearSource(source, user, name);
    await settle(target, name);
  }
  return { container: await getContainer(target, user), from: undefined, stoppedMilliseconds: 0 };
}

async function between(
  source: Server,
  target: Server,
  record: ContainerRecord,
  { onStep, onProgress, signal }: MoveOptions,
): Promise<Moved> {
  const { user, name } = record;
  let since: number | undefined;
  let left = await readState(source, name);
  if (left.state === "leaving" && (await isLost(target, left))) {
    await discardCopy(target, left);
    await comeBack(source, name);
    left = await readState(source, name);
  }
  if (left.state === "ready") {
    since = await bringAll(source, target, left, { onStep, onProgress, signal });
    onStep?.(`Brought all of ${name}`, `${source.name} has let go`);
  }
  try {
    await arrive(target, (await source.incus.instances.get(name)).value, source.name);
    const stoppedMilliseconds = since === undefined ? 0 : Date.now() - since;
    onStep?.(`SSH answers on ${target.name}`, since === undefined ? "" : `stopped for ${stoppedMilliseconds} ms`);
    await clearSource(source, user, name);
    await settle(target, name);
    onStep?.(`Removed from ${source.name}`, "");
    return { container: await getContainer(target, user), from: source.name, stoppedMilliseconds };
  } catch (error) {
    if (error instanceof SilentCopyError) throw await sendBack(source, target, record, error);
    throw unfinished(error, record, source.name, target.name);
  }
}

/** Nobody ever came in there, so nothing was done there that is not here. @returns the error to throw */
async function sendBack(source: Server, target: Server, { user, name }: ContainerRecord, error: SilentCopyError) {
  const record = await readState(source, name);
  try {
    await target.helper({ op: "account.remove", user });
    await discardCopy(target, record);
    await comeBack(source, name);
    if (record.move?.wasRunning === true) await startContainer(source, user);
    return error;
  } catch {
    return unfinished(error, record, source.name, target.name);
  }
}

/** Copies, stops, copies what is new, and lets go. @returns when it was stopped, if it ran */
async function bringAll(
  source: Server,
  target: Server,
  record: ContainerRecord,
  { onStep, onProgress, signal }: MoveOptions,
): Promise<number | undefined> {
  const { name, user, autostart } = record;
  const request: RequestOptions = { signal };
  const place = await findPlace(source, target, record, request);
  const { value: instance } = await source.incus.instances.get(name, request);
  const isRunning = instance.status === "Running";
  // One that an earlier run stopped did run.
  const wasRunning = isRunning || record.move?.wasRunning === true;
  const run = randomUUID();
  const job: CopyJob = { source, target, record, place, onProgress };
  let since: number | undefined;
  await writeMark(source, name, { to: target.name, run, wasRunning, autostart });
  try {
    await firstPass(job, request);
    onStep?.(`Copied ${name}`, `${source.name} to ${target.name}, while ${isRunning ? "it ran" : "it was stopped"}`);
    throwIfInterrupted(signal);
    since = wasRunning ? Date.now() : undefined;
    await stopContainer(source, user, request);
    await secondPass(job, run, request);
    await letGo(source, name, run);
    return since;
  } catch (error) {
    throw await takeBack(job, { run, wasRunning }, error);
  }
}

/** Everything as it was: it runs where it ran. Takes no signal: it must come to its end. @returns the error to throw */
async function takeBack(
  { source, target, record }: CopyJob,
  { run, wasRunning }: { run: string; wasRunning: boolean },
  error: unknown,
): Promise<unknown> {
  const { name } = record;
  const state = await readState(source, name).catch(() => undefined);
  // Somebody else's run has it now, the copy too.
  if (state?.move !== undefined && state.move.run !== run) return error;
  // The request that lets go may have arrived although its answer did not.
  if (state?.state === "leaving") return unfinished(error, record, source.name, target.name);
  const left: string[] = [];
  const tryTo = async (what: string, work: () => Promise<void>) => {
    await work().catch(() => left.push(what));
  };
  await tryTo(`a copy of ${name} on ${target.name}, which nobody uses`, () => discardCopy(target, record));
  await tryTo(`a file that says so in ${name}`, () => dropMark(source, name));
  await tryTo(`a snapshot of ${name}, for a day`, () => dropBase(source, name));
  if (wasRunning) await tryTo(`${name}, stopped`, () => source.incus.instances.start(name));
  if (left.length === 0) await tryTo(`a mark of the move`, () => comeBack(source, name));
  return left.length === 0 ? error : unfinished(error, record, source.name, target.name, left.join("; "));
}

async function readState(server: Server, name: string): Promise<ContainerRecord> {
  const record = readRecord((await server.incus.instances.get(name)).value);
  if (record === undefined) throw new ConflictError(`${name} on ${server.name} is not ours`, { server: server.name });
  return record;
}

/** Whether there is no copy in which they could go on: none, or one that never was at home and is not whole. */
async function isLost(target: Server, { user, name, move }: ContainerRecord): Promise<boolean> {
  try {
    const { value } = await target.incus.instances.get(name);
    return value.config[KEY.arriving] === user && !(await hasMark(target, name, move?.run ?? ""));
  } catch (error) {
    if (error instanceof NotFoundError) return true;
    throw error;
  }
}

async function exists(servers: MoveServers, name: string): Promise<boolean> {
  return servers.server(name).then(
    () => true,
    (error: unknown) => !(error instanceof NotFoundError),
  );
}

function halfMade({ user, name }: ContainerRecord, server: string): ConflictError {
  return new ConflictError(`${name} is half-made`, {
    server,
    remedy: `Complete it first:\n  containarium-ops create ${user} --ssh-key FILE`,
  });
}

/** The same error, so that its class stays, with where it stands. */
function unfinished(error: unknown, { user, name }: ContainerRecord, from: string, to: string, left?: string): unknown {
  if (!(error instanceof ContainariumError)) return error;
  const leftBehind = left ?? `${name} is on its way from ${from} to ${to}; nothing of it is lost`;
  return Object.assign(error, {
    leftBehind,
    remedy: `Run it again; it goes on where it stopped:\n  containarium-ops move ${user} --to ${to}`,
  });
}
