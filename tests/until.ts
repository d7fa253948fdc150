import { waitFor } from "../ops/wait";

/**
 * Looks again and again until that is so.
 * @param seconds how long at most: never a measure of speed, so with room for a busy machine
 * @param what completes "waited 30s for ..."
 */
export async function until(condition: () => Promise<boolean> | boolean, seconds: number, what: string): Promise<void> {
  await waitFor(condition, { what, timeoutMs: seconds * 1_000, maxIntervalMs: 500 });
}
