import { z } from "zod";
import { ConflictError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Config, Device, Instance } from "../incus/types";
import { KEY } from "./instance-config";
import type { ContainerRecord } from "./record";

/**
 * What a container was before a snapshot of it was restored, until all of that is back. With the disk, Incus puts back
 * the whole config of then: keys that were shut out since, and old limits. So what holds stands in the server's own
 * config meanwhile. The host helper knows it too: a server that boots in between opens no old key.
 */
const markSchema = z.object({
  /** Of the container, so that a later one of the same name is not mistaken for it. */
  createdAt: z.string(),
  snapshot: z.string(),
  running: z.boolean(),
  config: z.record(z.string(), z.string()),
  devices: z.record(z.string(), z.record(z.string(), z.string())),
});
export type RestoreMark = z.infer<typeof markSchema> & { devices: Record<string, Device> };

type Who = Pick<ContainerRecord, "name" | "createdAt">;

function keyOf(name: string): string {
  return `user.containarium.restoring.${name}`;
}

/** Whether Incus keeps that for itself. Not the MAC address: dnsmasq holds the address for the one that has it, up to an hour. */
export function isOfIncus(key: string): boolean {
  return key.startsWith("volatile.") && !key.endsWith(".hwaddr");
}

/** PURE. */
export function restoreMark(before: Instance, snapshot: string, running: boolean): RestoreMark {
  const config: Config = Object.fromEntries(Object.entries(before.config).filter(([key]) => !isOfIncus(key)));
  return { createdAt: before.config[KEY.createdAt] ?? "", snapshot, running, config, devices: before.devices };
}

/** The mark of a restore that was not completed, if there is one. */
export async function readRestoreMark(
  server: Server,
  { name, createdAt }: Who,
  options?: RequestOptions,
): Promise<RestoreMark | undefined> {
  const text = (await server.incus.server(options)).config?.[keyOf(name)];
  if (text === undefined || text === "") return undefined;
  const mark = markSchema.safeParse(JSON.parse(text));
  return mark.success && mark.data.createdAt === createdAt ? (mark.data as RestoreMark) : undefined;
}

/** Undefined takes it away. */
export async function writeRestoreMark(
  server: Server,
  name: string,
  mark: RestoreMark | undefined,
  options?: RequestOptions,
): Promise<void> {
  await server.incus.patch(
    "/1.0",
    { config: { [keyOf(name)]: mark === undefined ? "" : JSON.stringify(mark) } },
    options,
  );
}

/** @throws ConflictError: what is changed now would be changed back when the restore is completed */
export async function refuseRestoring(
  server: Server,
  { user, ...who }: Who & { user: string },
  options?: RequestOptions,
): Promise<void> {
  const mark = await readRestoreMark(server, who, options);
  if (mark === undefined) return;
  throw new ConflictError(`a restore of ${who.name} to ${mark.snapshot} was not completed`, {
    server: server.name,
    remedy: `If nobody is at it any more, complete it first:\n  containarium-ops snapshot restore ${user} ${mark.snapshot} --force`,
  });
}
