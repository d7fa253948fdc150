import { OperationError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Instance, NewInstance } from "../incus/types";
import { chooseAddress } from "./address";
import type { GoldenImage } from "./image";
import { renderConfig, renderDevices, type Making } from "./instance-config";
import type { ResolvedSpec } from "./spec";

const TRIES = 8;

/** What to make, on which network, and what was there when we looked. */
export interface InstanceOrder {
  spec: ResolvedSpec;
  image: GoldenImage;
  gateway: string;
  instances: readonly Instance[];
  making: Pick<Making, "createdAt" | "createdBy" | "run">;
}

/**
 * Copies the golden image into a new, stopped instance with an address of its own.
 *
 * Incus takes two instances with one static address (6.0.4 looks only at running ones), so look again after making it:
 * whoever finds that somebody else has the same address takes another.
 *
 * @returns the address
 * @throws ConflictError when the name was taken meanwhile; OperationError when there is a disk of that name with somebody's
 *   files, which stays
 */
export async function makeInstance(server: Server, order: InstanceOrder, options?: RequestOptions): Promise<string> {
  const { spec, image, gateway, making } = order;
  const address = chooseAddress(gateway, addressesOf(order.instances, spec.name));
  // Incus goes on with it whatever we do, and what is not there yet cannot be taken back: this step is never given up.
  const untilItIsThere = { ...options, signal: undefined };
  const body: NewInstance = {
    name: spec.name,
    type: "container",
    profiles: [],
    source: { type: "image", fingerprint: image.fingerprint },
    config: renderConfig(spec, { ...making, image: image.name, address }),
    devices: renderDevices(spec, address),
  };
  // A server that died in the middle of this has left a disk without an instance, on which Incus fails, or which it destroys.
  await server.helper({ op: "create.mend", user: spec.user }, untilItIsThere);
  await server.incus.instances.create(body, untilItIsThere);
  return settleAddress(server, { spec, gateway, address }, options);
}

/** Changes the address until nobody else has it. The instance must be stopped. */
export async function settleAddress(
  server: Server,
  { spec, gateway, address }: { spec: Pick<ResolvedSpec, "name" | "diskQuota">; gateway: string; address: string },
  options?: RequestOptions,
): Promise<string> {
  let mine = address;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const others = addressesOf(await server.incus.instances.list(options), spec.name);
    if (mine !== "" && !others.includes(mine)) return mine;
    mine = chooseAddress(gateway, others, { random: Math.random });
    await server.incus.instances.patch(spec.name, { devices: renderDevices(spec, mine) }, options);
  }
  throw new OperationError(`found no free address for ${spec.name} in ${TRIES} tries`, {
    server: server.name,
    remedy: "Many containers are being made at once; run the command again.",
  });
}

/**
 * Starts it. Of two that were made in the same moment and took the same address after all, Incus refuses to start the
 * second: that one takes another.
 *
 * @returns the address that it has now
 */
export async function startSettled(
  server: Server,
  { spec, gateway, address }: { spec: ResolvedSpec; gateway: string; address: string },
  options?: RequestOptions,
): Promise<string> {
  let mine = address;
  for (let attempt = 1; ; attempt++) {
    try {
      await server.incus.instances.start(spec.name, options);
      return mine;
    } catch (error) {
      const isTaken = error instanceof Error && /already defined on another NIC/.test(error.message);
      if (!isTaken || attempt === TRIES) throw error;
      mine = await settleAddress(server, { spec, gateway, address: "" }, options);
    }
  }
}

export function addressesOf(instances: readonly Instance[], except: string): string[] {
  return instances
    .filter(({ name }) => name !== except)
    .flatMap(({ devices }) => Object.values(devices).map((device) => device["ipv4.address"] ?? ""))
    .filter((address) => address !== "");
}
