import { randomBytes } from "node:crypto";
import pLimit from "p-limit";
import { ContainariumError, OperationError } from "../errors";
import type { ServerAddress } from "../fleet/inventory";
import { withServer, type OpenOptions, type Server } from "../host/server";
import { throwIfInterrupted } from "../wait";
import { acknowledgedLines, cleanUp } from "./container";
import { problemOf, type Drill, type DrillStep } from "./drill";
import { awaitPerson, beginWith, compare, findPeople, type Person } from "./person";
import { untilReady, untilSshAnswers, type Limit } from "./recovery";

export interface DrillOptions extends OpenOptions {
  /** How long the way back may take, in milliseconds. Default 10 minutes. */
  timeoutMs?: number;
  /** What is done so far; before the server has ended, times count from the beginning. */
  onStep?: (step: DrillStep) => void;
}

const DEFAULT_TIMEOUT_MS = 600_000;
/** What Incus is asked at the same time: it has four connections over one SSH line. */
const AT_ONCE = 4;
/** Of those who are waited for. */
const WAITS_AT_ONCE = 6;

/** A server that has just ended, and what is known of it. */
interface Ended {
  people: Person[];
  boot: string;
  how: Drill["ended"];
  date: Date;
  /** In `performance.now()`'s time. */
  at: number;
}

/**
 * A fire drill: ends a server as a preemption does, without warning, while everybody writes; lets it come back by itself,
 * and compares. What it leaves in containers when it is killed, the next drill removes.
 *
 * @returns what became of everybody, also when that is not good: `problems` says so
 * @throws when the drill could not begin (nothing has ended then), or was interrupted
 */
export async function drillPreemption(target: ServerAddress, options: DrillOptions = {}): Promise<Drill> {
  const id = `drill-${randomBytes(6).toString("hex")}`;
  const ended = await withServer(target, options, (server) => endServer(server, id, options));
  return comeBack(target, id, ended, options);
}

/** Everybody writes, and the server ends. */
async function endServer(server: Server, id: string, { onStep, signal }: DrillOptions): Promise<Ended> {
  const began = performance.now();
  const status = await server.helper({ op: "server.status" }, { signal });
  if (!status.ready) {
    throw new OperationError(`${server.name} is not ready: its startup is under way, or failed`, {
      server: server.name,
      remedy: "Nothing was done. On the server:\n  journalctl -u containarium-startup -n 20",
    });
  }
  const [{ boot }, people] = await Promise.all([
    server.helper({ op: "server.boot" }, { signal }),
    findPeople(server, signal),
  ]);
  try {
    await each(people, AT_ONCE, (person) => beginWith(server, person, id, signal));
    onStep?.({ title: `${people.length} people write`, milliseconds: Math.round(performance.now() - began) });
    await each(people, AT_ONCE, async ({ before, record, result }) => {
      if (before === undefined) return;
      before.acknowledged = await acknowledgedLines(server, record.name, { signal });
      result.acknowledged = before.acknowledged;
    });
    throwIfInterrupted(signal);
    const { ends } = await server.helper({ op: "server.die", name: status.name });
    return { people, boot, how: ends, date: new Date(), at: performance.now() };
  } catch (error) {
    await tidy(server, people);
    throw error;
  }
}

/** It comes back by itself, or it does not; then everything is looked at. */
async function comeBack(target: ServerAddress, id: string, ended: Ended, options: DrillOptions): Promise<Drill> {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS, onStep } = options;
  const { at, people } = ended;
  const limit: Limit = { deadline: at + timeoutMs, signal };
  const drill: Drill = {
    server: target.name,
    ended: ended.how,
    endedAt: ended.date.toISOString(),
    steps: [],
    people: people.map(({ result }) => result),
    problems: [],
  };
  const step = (title: string): void => {
    const done = { title, milliseconds: Math.round(performance.now() - at) };
    drill.steps.push(done);
    onStep?.(done);
  };
  step("The server ended");
  let server: Server | undefined;
  try {
    const back = (server = await untilSshAnswers(target, ended.boot, limit, options));
    step("SSH answers, same host key");
    const startup = untilReady(back, limit).then(
      () => step("The startup is through"),
      // Whoever is in all the same is looked at.
      (error: unknown) => void drill.problems.push(problemOf(error, "not-back")),
    );
    await Promise.all([
      startup,
      each(people, WAITS_AT_ONCE, (person) => awaitPerson(back, person, at, limit)).then(() => step("People are in")),
    ]);
    throwIfInterrupted(signal);
    await each(people, AT_ONCE, (person) => compare(back, person, id, signal));
    step("All is compared");
    await tidy(back, people);
  } catch (error) {
    if (signal?.aborted) throw interruption(error, target.name);
    drill.problems.push(problemOf(error, "not-back"));
    for (const { result } of server === undefined ? people : []) {
      if (result.problems.length === 0) result.problems.push({ kind: "not-back", message: "their server is not back" });
    }
  } finally {
    await server?.close();
  }
  return drill;
}

/** A container that does not let us is no reason to fail: the next drill tries again. */
async function tidy(server: Server, people: Person[]): Promise<void> {
  await each(people, AT_ONCE, ({ record }) => cleanUp(server, record.name).catch(() => undefined));
}

async function each(people: Person[], atOnce: number, work: (person: Person) => Promise<void>): Promise<void> {
  const limit = pLimit(atOnce);
  await Promise.all(people.map((person) => limit(() => work(person))));
}

function interruption(cause: unknown, server: string): ContainariumError {
  return new ContainariumError("interrupted", "interrupted while the server comes back", {
    server,
    leftBehind: "the drill's files in people's containers; the next drill removes them",
    cause,
  });
}
