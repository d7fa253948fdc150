import { recordOperation } from "../audit/record-operation";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { IncusError } from "../incus/incus-error";
import type { Container } from "./container";
import { readContainer } from "./get";
import { readOwn } from "./own-container";

export interface StopOptions extends RequestOptions {
  /** How long its programs have to end by themselves. Default 30; 0 is by force at once. */
  graceSeconds?: number;
}

export interface Stopped {
  container: Container;
  /** Whether its programs had to be ended by force. */
  forced: boolean;
}

/**
 * Stops a person's container: first it is asked to, and after a limit it is made to. Fine when it is stopped already.
 *
 * @throws NotFoundError; ConflictError when it is half-made or not ours
 */
export async function stopContainer(server: Server, user: string, options: StopOptions = {}): Promise<Stopped> {
  return recordOperation(server, { operation: "stop", user }, () => stop(server, user, options));
}

async function stop(server: Server, user: string, { graceSeconds = 30, ...options }: StopOptions): Promise<Stopped> {
  const record = await readOwn(server, user, options);
  const forced = !(await stoppedByItself(server, record.name, graceSeconds, options));
  if (forced) await server.incus.instances.stop(record.name, { ...options, force: true });
  return { container: await readContainer(server, record, options), forced };
}

async function stoppedByItself(server: Server, name: string, graceSeconds: number, options: RequestOptions) {
  if (graceSeconds === 0) return (await server.incus.instances.state(name, options)).status === "Stopped";
  try {
    await server.incus.instances.stop(name, { ...options, graceSeconds });
    return true;
  } catch (error) {
    // Its words for a shutdown that did not come to its end in time (6.0.4).
    if (error instanceof IncusError && /Failed shutting down instance/.test(error.message)) return false;
    throw error;
  }
}
