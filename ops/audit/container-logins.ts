import { ContainariumError } from "../errors";
import { containerName, parseUserName } from "../containers/user-name";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";

/** A login as the container's own journal has it. Its owner is root there, and may have changed it. */
export interface ContainerLogin {
  event: "container-login";
  time: string;
  user: string;
  /** The server through which it came: its address on the containers' network. */
  address: string;
  port: number;
  key: string;
}

const LINES = 1000;
const TIMEOUT_MS = 30_000;
const ACCEPTED =
  /^Accepted publickey for ([a-z][a-z0-9_-]{0,31}) from ([0-9a-f.:]{2,45}) port (\d{1,5}) ssh2: ([A-Z0-9-]{2,30} SHA256:[A-Za-z0-9+/]{43})$/;

/** The newest logins that the container's journal has; none when it is stopped or has no journal. */
export async function containerLogins(
  server: Server,
  { user, since, until }: { user: string; since: string; until: string },
  options?: RequestOptions,
): Promise<ContainerLogin[]> {
  const name = containerName(parseUserName(user));
  // Whole seconds; what is too much is left out afterwards.
  const end = new Date(Date.parse(until) + 1000).toISOString();
  const span = [`--since=${journalTime(since)}`, `--until=${journalTime(end)}`];
  const command = ["journalctl", "-q", "--no-pager", "-n", String(LINES), "-o", "json", ...span];
  const output = ["--output-fields=MESSAGE", "-t", "sshd", "-t", "sshd-session"];
  try {
    const { stdout } = await server.incus.instances.execOutput(name, [...command, ...output], {
      timeoutMs: TIMEOUT_MS,
      ...options,
    });
    return parseJournal(stdout, user).filter(({ time }) => time >= since && time <= until);
  } catch (error) {
    options?.signal?.throwIfAborted();
    // No container here, a stopped one, one without a journal, or one whose owner has put something in its place.
    if (error instanceof ContainariumError) return [];
    throw error;
  }
}

/** Whoever owns the container wrote this text: only what has exactly the expected form is taken. */
export function parseJournal(text: string, user: string): ContainerLogin[] {
  return text
    .split("\n")
    .slice(-LINES)
    .flatMap((line) => parseLine(line, user) ?? []);
}

function parseLine(line: string, user: string): ContainerLogin | undefined {
  try {
    const entry = JSON.parse(line) as Record<string, unknown> | null;
    const match = ACCEPTED.exec(String(entry?.MESSAGE));
    const microseconds = /^\d{1,17}$/.exec(String(entry?.__REALTIME_TIMESTAMP));
    if (match === null || match[1] !== user || microseconds === null) return undefined;
    const time = new Date(Number(microseconds[0]) / 1000).toISOString();
    return { event: "container-login", time, user, address: match[2]!, port: Number(match[3]), key: match[4]! };
  } catch {
    return undefined;
  }
}

/** `2026-11-27 10:00:00 UTC`: what every version of journalctl understands. */
function journalTime(iso: string): string {
  return `${iso.slice(0, 19).replace("T", " ")} UTC`;
}
