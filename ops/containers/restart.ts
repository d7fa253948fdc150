import { recordOperation } from "../audit/record-operation";
import type { Server } from "../host/server";
import { startContainer } from "./start";
import { stopContainer, type Stopped, type StopOptions } from "./stop";

/** Stops a person's container, gently first, and starts it; returns when SSH answers. @throws as those two */
export async function restartContainer(server: Server, user: string, options: StopOptions = {}): Promise<Stopped> {
  const { graceSeconds: _grace, ...request } = options;
  return recordOperation(server, { operation: "restart", user }, async () => {
    const { forced } = await stopContainer(server, user, options);
    return { container: await startContainer(server, user, request), forced };
  });
}
