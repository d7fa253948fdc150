import { setTimeout as sleep } from "node:timers/promises";
import { ContainariumError, TimeoutError } from "./errors";

export interface WaitOptions {
  /** How long to wait at most, in milliseconds. */
  timeoutMs: number;
  /** What is waited for; completes "waited 30s for ...". */
  what: string;
  /** First pause between two looks, in milliseconds; it grows by half each time. Default 50. */
  intervalMs?: number;
  /** Longest pause, in milliseconds. Default 2000. */
  maxIntervalMs?: number;
  server?: string;
  remedy?: string;
  signal?: AbortSignal;
}

/**
 * Looks again and again until `condition` returns something (neither undefined nor false), and returns that. An error
 * that the condition throws ends the wait at once.
 *
 * @throws TimeoutError when the limit passed
 */
export async function waitFor<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  let pause = options.intervalMs ?? 50;
  for (;;) {
    throwIfInterrupted(options.signal);
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    const left = deadline - Date.now();
    if (left <= 0) {
      throw new TimeoutError(`waited ${options.timeoutMs / 1000}s for ${options.what}`, {
        server: options.server,
        remedy: options.remedy,
      });
    }
    await sleep(Math.min(pause, left), undefined, { signal: options.signal }).catch(() => undefined);
    pause = Math.min(pause * 1.5, options.maxIntervalMs ?? 2000);
  }
}

/** Throws the error of kind "interrupted" when the caller gave up (Ctrl-C). */
export function throwIfInterrupted(signal?: AbortSignal): void {
  if (signal?.aborted === true) throw interrupted(signal);
}

export function interrupted(signal?: AbortSignal): ContainariumError {
  return new ContainariumError("interrupted", "interrupted", { cause: signal?.reason });
}

/** Comes back when both have ended, whatever becomes of them: what is under way can neither be used nor taken back. */
export async function both<T>(one: Promise<T>, other: Promise<unknown>): Promise<T> {
  const [first, second] = await Promise.allSettled([one, other]);
  if (first.status === "rejected") throw first.reason;
  if (second.status === "rejected") throw second.reason;
  return first.value;
}
