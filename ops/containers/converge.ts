import { ContainariumError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import type { Config, Instance, InstanceChange } from "../incus/types";
import type { Container } from "./container";
import { assertDiskCanBe } from "./can-be";
import { readContainer } from "./get";
import { writeUserFile } from "./guest-files";
import { renderIdentity, renderLimits } from "./instance-config";
import type { ContainerRecord } from "./record";
import type { ResolvedSpec } from "./spec";
import { renderSchedule } from "../snapshots/schedule-text";
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
  await assertDiskCanBe(server, existing, spec.diskQuota, request);
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
  const wanted: Config = { ...renderIdentity(spec), ...renderLimits(spec), ...renderSchedule(spec) };
  const config = Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => (instance.config[key] ?? "") !== value),
  );
  const { root } = instance.devices;
  const resized = root !== undefined && root["size"] !== spec.diskQuota.text;
  if (Object.keys(config).length === 0 && !resized) return undefined;
  return { config, ...(resized ? { devices: { root: { ...root, size: spec.diskQuota.text } } } : {}) };
}

function halfDone(error: unknown, spec: ResolvedSpec): unknown {
  if (!(error instanceof ContainariumError)) return error;
  const leftBehind = `${spec.name} has its new settings, but perhaps not its new keys everywhere`;
  return Object.assign(error, { leftBehind, remedy: error.remedy ?? "Run the same command again to complete it." });
}
