import { recordOperation } from "../audit/record-operation";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Container } from "./container";
import { readContainer } from "./get";
import { modifyOwn } from "./own-container";

/** Whether a person's container starts with its server. @throws NotFoundError; ConflictError when half-made or not ours */
export async function setAutostart(
  server: Server,
  user: string,
  on: boolean,
  options?: RequestOptions,
): Promise<Container> {
  const decide = ({ autostart }: { autostart: boolean }) =>
    autostart === on ? undefined : { config: { "boot.autostart": String(on) } };
  return recordOperation(server, { operation: "autostart", user, detail: on ? "on" : "off" }, async () =>
    readContainer(server, await modifyOwn(server, user, decide, options), options),
  );
}
