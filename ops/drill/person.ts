import { readRecord, type ContainerRecord } from "../containers/record";
import { startContainer } from "../containers/start";
import type { Server } from "../host/server";
import { throwIfInterrupted } from "../wait";
import { beginWriting, examine } from "./container";
import { problemOf, type DrilledPerson } from "./drill";
import { lossesOf, type Before } from "./losses";
import { letIn, untilLetIn, untilReady, type Limit } from "./recovery";

/** Somebody whose server is to end. */
export interface Person {
  record: ContainerRecord;
  /** Absent: it did not go well before, so nothing can be said of what comes after. */
  before?: Before;
  /** The host keys that their container shows afterwards. */
  shown: string[];
  result: DrilledPerson;
}

const FIRST_LOGIN_SECONDS = 15;

/** Whose container runs, and is complete: what a preemption ends. */
export async function findPeople(server: Server, signal?: AbortSignal): Promise<Person[]> {
  const instances = await server.incus.instances.list({ signal });
  return instances
    .filter(({ status }) => status === "Running")
    .flatMap((instance) => readRecord(instance) ?? [])
    .filter(({ state }) => state === "ready")
    .sort((a, b) => a.user.localeCompare(b.user))
    .map((record) => ({
      record,
      shown: [],
      result: { user: record.user, acknowledged: 0, kept: 0, homeFiles: 0, problems: [] },
    }));
}

/** Their way in is open, and something is being written in their container. */
export async function beginWith(server: Server, person: Person, drill: string, signal?: AbortSignal): Promise<void> {
  const { record, result } = person;
  try {
    const hostKeys = canLogIn(record) ? await letIn(server, record, FIRST_LOGIN_SECONDS, signal) : [];
    const sample = await beginWriting(server, record.name, drill, { signal });
    person.before = { hostKeys, acknowledged: 0, ...sample };
    result.homeFiles = sample.homeFiles;
  } catch (error) {
    throwIfInterrupted(signal);
    const { kind, message } = problemOf(error, "unproven");
    result.problems.push({ kind, message: `before the drill: ${message}` });
  }
}

/** Until they can get in again; `ended` is when their server ended, in `performance.now()`'s time. */
export async function awaitPerson(server: Server, person: Person, ended: number, limit: Limit): Promise<void> {
  const { before, record, result } = person;
  try {
    // Who is not to start by themselves ran all the same: the drill stopped them, so the drill starts them.
    if (!record.autostart) {
      await untilReady(server, limit);
      await startContainer(server, record.user, { signal: limit.signal });
    }
    if (before === undefined || !canLogIn(record)) return;
    person.shown = await untilLetIn(server, record, limit);
    result.backMilliseconds = Math.round(performance.now() - ended);
  } catch (error) {
    throwIfInterrupted(limit.signal);
    result.problems.push(problemOf(error, "not-back"));
  }
}

/** Whether they are as they were. */
export async function compare(server: Server, person: Person, drill: string, signal?: AbortSignal): Promise<void> {
  const { before, record, result, shown } = person;
  if (before === undefined || result.problems.length > 0) return;
  try {
    const found = await examine(server, record.name, before, { signal });
    result.kept = Math.min(before.acknowledged, found.lines);
    result.problems.push(...lossesOf(drill, before, { ...found, hostKeys: shown }));
  } catch (error) {
    throwIfInterrupted(signal);
    result.problems.push(problemOf(error, "lost"));
  }
}

/** Whom no key lets in, nobody has to reach. */
function canLogIn({ keys }: ContainerRecord): boolean {
  return keys.length > 0;
}
