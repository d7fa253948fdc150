import { ContainariumError, InvalidInputError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Config, Instance, InstanceChange } from "../incus/types";
import type { Container } from "./container";
import { readContainer } from "./get";
import { writeUserFile } from "./guest-files";
import { renderIdentity, renderLimits } from "./instance-config";
import { assertFits } from "./prepare";
import type { ContainerRecord } from "./record";
import { formatBytes, parseSize } from "./size";
import type { ResolvedSpec } from "./spec";
import { openWayIn } from "./way-in";

/**
 * Makes an existing container agree with its spec: limits, autostart, Docker, and the keys on both hops, or a lost key
 * would still open the jump. The record in Incus comes first, so that a run that stops half-way can be run again.
 */
export async function converge(
  server: Server,
  spec: ResolvedSpec,
  existing: ContainerRecord,
  request?: RequestOptions,
): Promise<Container> {
  if (spec.diskQuota.text !== existing.diskQuota) await assertDiskCanBe(server, spec, existing, request);
  await server.incus.instances.modify(spec.name, (instance) => changeFor(instance, spec), request);
  try {
    await writeUserFile(server.incus, spec.name, spec, request);
    await openWayIn(server, existing, spec.keys, request);
  } catch (error) {
    throw halfDone(error, spec);
  }
  return readContainer(server, spec, request);
}

/** The settings that differ; undefined when none does. Pure. */
export function changeFor(instance: Instance, spec: ResolvedSpec): InstanceChange | undefined {
  const wanted: Config = { ...renderIdentity(spec), ...renderLimits(spec) };
  const config = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => instance.config[key] !== value));
  const { root } = instance.devices;
  const resized = root !== undefined && root["size"] !== spec.diskQuota.text;
  if (Object.keys(config).length === 0 && !resized) return undefined;
  return { config, ...(resized ? { devices: { root: { ...root, size: spec.diskQuota.text } } } : {}) };
}

/** A quota below what is used blocks even stop and delete on some drivers: refuse it before anything is changed. */
async function assertDiskCanBe(
  server: Server,
  spec: ResolvedSpec,
  existing: ContainerRecord,
  request?: RequestOptions,
): Promise<void> {
  const before = existing.diskQuota === "" ? Infinity : parseSize(existing.diskQuota, "disk quota").bytes;
  if (spec.diskQuota.bytes > before) {
    assertFits(spec, await server.helper({ op: "server.status" }, request), server.name);
    return;
  }
  const { disk } = await server.incus.instances.state(spec.name, request);
  const used = disk?.["root"]?.usage ?? 0;
  if (used <= spec.diskQuota.bytes) return;
  throw new InvalidInputError(
    `${spec.name} uses ${formatBytes(used)} of disk; its quota cannot become ${spec.diskQuota.text}`,
    {
      server: server.name,
      remedy: "Nothing was changed. Give a larger quota, or delete files in the container first.",
    },
  );
}

function halfDone(error: unknown, spec: ResolvedSpec): unknown {
  if (!(error instanceof ContainariumError)) return error;
  const leftBehind = `${spec.name} has its new settings, but perhaps not its new keys everywhere`;
  return Object.assign(error, { leftBehind, remedy: error.remedy ?? "Run the same command again to complete it." });
}
