import fs from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

import { ConflictError } from "../../ops/errors";
import { isOrphan } from "../../scripts/orphan-locks";
import type { Project } from "./project";

/** Who holds a stack, as the engine's file backend writes it down. */
export interface StackLock {
  file: string;
  pid: number;
  username: string;
  hostname: string;
  timestamp: string;
}

/** The folder of a `file://` backend; undefined for every other backend, whose locks cannot be seen from here. */
export function fileBackend(url: string | undefined, project: Pick<Project, "root">, home: string): string | undefined {
  if (!url?.startsWith("file://")) return undefined;
  const rest = url.slice("file://".length).replace(/\?.*$/, "");
  if (rest === "~" || rest.startsWith("~/")) return path.join(home, rest.slice(1));
  if (rest.startsWith("/")) return fileURLToPath(`file://${rest}`);
  return path.resolve(project.root, rest);
}

/** The locks on a stack; none when nothing runs. */
export async function readLocks(backend: string, project: Pick<Project, "name">, stack: string): Promise<StackLock[]> {
  const folder = path.join(backend, ".pulumi", "locks", "organization", project.name, stack);
  const names = await fs.readdir(folder).catch(() => []);
  const locks = await Promise.all(names.filter((name) => name.endsWith(".json")).map((name) => readLock(folder, name)));
  return locks.filter((lock) => lock !== undefined);
}

async function readLock(folder: string, name: string): Promise<StackLock | undefined> {
  const file = path.join(folder, name);
  try {
    const lock = JSON.parse(await fs.readFile(file, "utf8")) as Partial<StackLock>;
    const { pid = 0, username = "somebody", hostname = "some machine", timestamp = "" } = lock;
    return { file, pid, username, hostname, timestamp };
  } catch (error) {
    // Gone since we looked: released. Half-written: held by somebody whom we cannot name yet.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return { file, pid: 0, username: "somebody", hostname: "some machine", timestamp: "" };
  }
}

export interface WaitOptions {
  timeoutMs: number;
  signal?: AbortSignal;
  /** Called when there is something to wait for, and when the lock of a run that was killed is taken away. */
  onWait(text: string): void;
}

/**
 * Waits until nobody holds the stack; what a process of this machine that is no more has left is no obstacle.
 * @throws ConflictError after `timeoutMs`
 */
export async function waitUntilUnlocked(
  backend: string,
  project: Project,
  stack: string,
  { timeoutMs, signal, onWait }: WaitOptions,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (let told = false; ;) {
    const [lock] = await readLocks(backend, project, stack);
    if (!lock) return;
    const remedy = `If nothing runs there any more,\n${project.pulumi} cancel --stack ${stack}`;
    if (isOrphan(lock)) {
      onWait(`Removed the lock of a run on stack ${stack} that was killed (${holder(lock)})`);
      await fs.rm(lock.file, { force: true });
      continue;
    }
    if (Date.now() >= deadline) {
      throw new ConflictError(`stack ${stack} is locked by ${holder(lock)}`, { remedy });
    }
    if (!told) onWait(`Waiting up to ${Math.ceil(timeoutMs / 1000)}s: stack ${stack} is locked by ${holder(lock)}`);
    told = true;
    await sleep(Math.min(250, Math.max(1, deadline - Date.now())), undefined, { signal });
  }
}

function holder({ username, hostname, pid, timestamp }: StackLock): string {
  return `${username}@${hostname}${pid ? `, process ${pid}` : ""}${timestamp ? `, since ${timestamp}` : ""}`;
}
