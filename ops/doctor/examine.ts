import { ContainariumError, NotFoundError, type ErrorKind } from "../errors";
import type { HelperResult } from "../host/helper-protocol";
import type { Server } from "../host/server";
import { parseUserName } from "../containers/user-name";
import { throwIfInterrupted } from "../wait";
import { EVERYTHING_ELSE, settle, verdictOf, type Check, type ServerCheck } from "./check";

/** The servers to look at, and how to connect to one. */
export interface Patients {
  names: readonly string[];
  open(name: string): Promise<Server>;
  /** Whether these are all servers of their fleet: then each must hear all others. */
  all: boolean;
}

export interface ExamineOptions {
  /** Look at this person's container, account and way in as well. */
  user?: string;
  signal?: AbortSignal;
}

export interface Examination {
  checks: Check[];
  /** Absent when all is well; `failed` where a server was reached and something is wrong with it. */
  verdict?: ErrorKind;
}

/** It bans an address for a moment and waits for SSH in a container, which may both take their time. */
const TIMEOUT_MS = 120_000;
/** Logs and expiry dates go wrong above it. */
const CLOCK_SECONDS = 30;

/**
 * Looks at all that has to be well on the servers of a fleet, and for one person; one question to each server.
 *
 * @throws NotFoundError when all servers were asked and none has this user
 */
export async function examineFleet(patients: Patients, { user, signal }: ExamineOptions = {}): Promise<Examination> {
  if (user !== undefined) parseUserName(user);
  const answers = await Promise.all(patients.names.map((name) => examineOne(name, patients, { user, signal })));
  throwIfInterrupted(signal);
  const unreached = answers.flatMap(({ kind }) => kind ?? []);
  if (user !== undefined && unreached.length === 0 && answers.every(({ home }) => home === undefined)) {
    throw new NotFoundError(`no container for ${user}`, { remedy: "containarium-ops list" });
  }
  const checks = settle(new Map(answers.map((answer) => [answer.name, answer.checks])));
  return { checks, verdict: verdictOf(checks, unreached) };
}

interface Answer {
  name: string;
  checks: ServerCheck[];
  home?: string;
  /** Why it could not be asked. */
  kind?: ErrorKind;
}

async function examineOne(name: string, patients: Patients, { user, signal }: ExamineOptions): Promise<Answer> {
  let server: Server;
  try {
    server = await patients.open(name);
  } catch (error) {
    const { kind = "failed", message, remedy } = error as Partial<ContainariumError>;
    return { name, checks: [...lost("SSH", message, remedy)], kind };
  }
  const reached: ServerCheck = { name: "SSH", state: "ok", detail: "answers, with the pinned host key", depends: [] };
  try {
    const peers = patients.all ? patients.names.filter((other) => other !== name) : null;
    const asked = Date.now();
    const found = await server.helper(
      { op: "doctor.examine", user: user ?? null, peers },
      { timeoutMs: TIMEOUT_MS, signal },
    );
    const checks = found.checks.map((check) => withClock(check, found, { asked, answered: Date.now() }));
    return { name, checks: [reached, ...checks], home: found.home ?? undefined };
  } catch (error) {
    const { message, remedy } = error as Partial<ContainariumError>;
    return { name, checks: [reached, ...lost("host helper", message, remedy)] };
  }
}

/** The first check that failed, and one for all that it kept us from. */
function lost(name: string, message = "no answer", remedy?: string): ServerCheck[] {
  return [
    { name, state: "failed", detail: message, ...(remedy !== undefined && { remedy }), depends: [] },
    { name: EVERYTHING_ELSE, state: "skipped", detail: `needs ${name}`, depends: [] },
  ];
}

/** A server's clock, beside this machine's: it read it at some moment between question and answer. */
function withClock(
  check: ServerCheck,
  { time }: HelperResult<"doctor.examine">,
  { asked, answered }: { asked: number; answered: number },
): ServerCheck {
  const milliseconds = time * 1000;
  const seconds = Math.max(asked - milliseconds, milliseconds - answered) / 1000;
  if (check.name !== "clock" || check.state === "failed" || seconds < CLOCK_SECONDS) return check;
  return {
    ...check,
    state: "failed",
    detail: `it differs from this machine's by ${Math.round(seconds)} s`,
    remedy: "Find out which of the two is wrong; on the server:\n  sudo timedatectl set-ntp true",
  };
}
