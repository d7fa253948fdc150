import { waitFor } from "../wait";
import { InstanceBusyError } from "./incus-error";
import type { OperationData } from "./types";

const BUSY_TIMEOUT_MS = 30_000;
const CLEANUP_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 120_000;

/** For which instance, on which server, and until when. */
export interface Patience {
  name: string;
  server?: string;
  signal?: AbortSignal;
  /** Default 30 s for one to be free; two minutes for one to be idle. */
  timeoutMs?: number;
}

/** After a failed start, or while it cleans up behind a stop, Incus refuses for a moment (6.0.4). */
export async function whenFree<T>({ name, ...limit }: Patience, ask: () => Promise<T>): Promise<T> {
  const { answer } = await waitFor(
    async () => {
      try {
        return { answer: await ask() };
      } catch (error) {
        if (error instanceof InstanceBusyError) return false;
        throw error;
      }
    },
    { timeoutMs: BUSY_TIMEOUT_MS, ...limit, what: `${name} to be free` },
  );
  return answer;
}

/** Behind what ended with its server nobody cleans up any more: after a limit that is fine, too. */
export async function untilCleanedUp({ name, ...limit }: Patience, isCleanedUp: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + CLEANUP_TIMEOUT_MS;
  const isEnough = async () => (await isCleanedUp()) || Date.now() > deadline;
  await waitFor(isEnough, { ...limit, timeoutMs: BUSY_TIMEOUT_MS, what: `Incus to clean up behind ${name}` });
}

export async function untilIdle({ name, ...limit }: Patience, isIdle: () => Promise<boolean>): Promise<void> {
  await waitFor(isIdle, { timeoutMs: IDLE_TIMEOUT_MS, ...limit, what: `Incus to end what it is at with ${name}` });
}

/** Whether an operation is under way, and works on the instance of that path. Somebody's open shell in it is none. */
export function isWorkOn(instancePath: string, { status_code, description, resources }: OperationData): boolean {
  if (status_code >= 200 || description === "Executing command") return false;
  return Object.values(resources ?? {})
    .flat()
    .includes(instancePath);
}
