import { waitFor } from "../wait";
import type { RequestOptions } from "./client";
import { InstanceBusyError } from "./incus-error";
import type { OperationData } from "./types";

const BUSY_TIMEOUT_MS = 30_000;
const CLEANUP_TIMEOUT_MS = 10_000;
/** A whole disk may have to be copied, where the storage cannot share blocks. */
const IDLE_TIMEOUT_MS = 600_000;

/** After a failed start, or while it cleans up behind a stop, Incus refuses for a moment (6.0.4). */
export async function whenFree<T>(name: string, ask: () => Promise<T>, options?: RequestOptions): Promise<T> {
  const { answer } = await waitFor(
    async () => {
      try {
        return { answer: await ask() };
      } catch (error) {
        if (error instanceof InstanceBusyError) return false;
        throw error;
      }
    },
    { timeoutMs: BUSY_TIMEOUT_MS, what: `${name} to be free`, signal: options?.signal },
  );
  return answer;
}

/** Behind what ended with its server nobody cleans up any more: after a limit that is fine, too. */
export async function untilCleanedUp(
  name: string,
  isCleanedUp: () => Promise<boolean>,
  options?: RequestOptions,
): Promise<void> {
  const deadline = Date.now() + CLEANUP_TIMEOUT_MS;
  await waitFor(async () => (await isCleanedUp()) || Date.now() > deadline, {
    timeoutMs: BUSY_TIMEOUT_MS,
    what: `Incus to clean up behind ${name}`,
    signal: options?.signal,
  });
}

export async function untilIdle(name: string, isIdle: () => Promise<boolean>, options?: RequestOptions): Promise<void> {
  const what = `Incus to end what it is at with ${name}`;
  await waitFor(isIdle, { timeoutMs: IDLE_TIMEOUT_MS, what, signal: options?.signal });
}

/** Whether an operation is under way, and works on the instance of that path. Somebody's open shell in it is none. */
export function isWorkOn(instancePath: string, { status_code, description, resources }: OperationData): boolean {
  if (status_code >= 200 || description === "Executing command") return false;
  return Object.values(resources ?? {})
    .flat()
    .includes(instancePath);
}
