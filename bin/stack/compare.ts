import { InvalidInputError } from "../../ops/errors";
import { parseSize } from "../../ops/containers/size";
import { CONTAINER_DEFAULTS, resolveSpec } from "../../ops/containers/spec";
import type { ContainerRecord } from "../../ops/containers/record";
import type { Inventory } from "../../ops/fleet/inventory";
import { parsePublicKey } from "../../ops/keys/public-key";
import type { DesiredContainer, DesiredField } from "./config-text";

/** A person as a server's Incus has them. */
export interface Found {
  server: string;
  record: ContainerRecord;
}

/** Something about a person that the config says otherwise than the server. */
export interface Difference {
  user: string;
  server: string;
  field: Exclude<DesiredField, "user">;
  config: string;
  actual: string;
}

export interface Comparison {
  /** On a server, not in the config; as they would be written there. */
  unlisted: DesiredContainer[];
  /** As `unlisted`, but what the server says of them cannot stand in the config. */
  unusable: { user: string; server: string; error: InvalidInputError }[];
  /** In the config, on no server. */
  missing: { user: string; server?: string }[];
  /** In the config, and not seen; they may be on a server that did not answer. */
  unknown: { user: string; server?: string }[];
  different: Difference[];
  /** A create of theirs was not completed. */
  halfMade: { user: string; server: string }[];
  /** With a container on more than one server. */
  twice: { user: string; servers: string[] }[];
}

/**
 * PURE: what a stack's config says, and what its servers say.
 * @param isWhole whether every server answered: else nobody is known to be nowhere, also whose own server answered
 */
export function compare(
  desired: readonly DesiredContainer[],
  found: readonly Found[],
  { defaults, isWhole }: { defaults: Inventory["defaults"] | undefined; isWhole: boolean },
): Comparison {
  const comparison: Comparison = {
    unlisted: [],
    unusable: [],
    missing: [],
    unknown: [],
    different: [],
    halfMade: [],
    twice: [],
  };
  const unseen = isWhole ? comparison.missing : comparison.unknown;
  const byUser = new Map<string, Found[]>();
  for (const one of homesOf(found)) byUser.set(one.record.user, [...(byUser.get(one.record.user) ?? []), one]);
  for (const [user, places] of [...byUser].sort(([a], [b]) => a.localeCompare(b))) {
    const [{ record, server }] = places as [Found];
    const entry = desired.find((one) => one.user === user);
    if (places.length > 1) comparison.twice.push({ user, servers: places.map((place) => place.server).sort() });
    else if (record.state !== "ready") comparison.halfMade.push({ user, server });
    else if (entry) comparison.different.push(...differences(entry, { record, server }, defaults));
    else {
      try {
        comparison.unlisted.push(entryOf({ record, server }, defaults));
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        comparison.unusable.push({ user, server, error });
      }
    }
  }
  for (const { user, server } of desired) {
    if (!byUser.has(user)) unseen.push({ user, ...(server !== undefined && { server }) });
  }
  return comparison;
}

/** Of somebody whose move was not completed, only the place where they are. */
function homesOf(found: readonly Found[]): Found[] {
  const arriving = new Set(found.filter(({ record }) => record.state === "arriving").map(({ record }) => record.user));
  return found.filter(({ record }) => record.state !== "leaving" || !arriving.has(record.user));
}

/**
 * A person's entry as the server has them, checked: Incus' config is not the place where names and keys were judged.
 * @throws InvalidInputError
 */
function entryOf({ record, server }: Found, defaults: Inventory["defaults"] | undefined): DesiredContainer {
  const { user, cpu, memory, diskQuota, processes, autostart, docker, image, keys } = record;
  const { snapshotSchedule, snapshotExpiry } = record.schedule;
  const entry = { user, sshKeys: keys, cpu, memory, diskQuota };
  resolveSpec({ ...entry, processes, snapshotSchedule, snapshotExpiry });
  return {
    ...entry,
    server,
    // Where it says nothing, the stack's own holds.
    ...(image !== "" && image !== defaults?.image && { image }),
    ...(processes !== CONTAINER_DEFAULTS.processes && { processes }),
    ...(!autostart && { autostart }),
    ...(!docker && { docker }),
    ...(snapshotSchedule !== undefined && { snapshotSchedule }),
    ...(snapshotExpiry !== undefined && { snapshotExpiry }),
  };
}

function differences(
  entry: DesiredContainer,
  { record, server }: Found,
  defaults: Inventory["defaults"] | undefined,
): Difference[] {
  const fields: [Difference["field"], unknown, unknown][] = [
    ["sshKeys", fingerprints(entry.sshKeys ?? []), fingerprints(record.keys)],
    ["server", entry.server ?? server, server],
    ["image", entry.image ?? record.image, record.image],
    ["cpu", entry.cpu ?? defaults?.cpu ?? CONTAINER_DEFAULTS.cpu, record.cpu],
    ["memory", entry.memory ?? defaults?.memory ?? CONTAINER_DEFAULTS.memory, record.memory],
    ["diskQuota", entry.diskQuota ?? defaults?.diskQuota ?? CONTAINER_DEFAULTS.diskQuota, record.diskQuota],
    ["processes", entry.processes ?? CONTAINER_DEFAULTS.processes, record.processes],
    ["autostart", entry.autostart ?? CONTAINER_DEFAULTS.autostart, record.autostart],
    ["docker", entry.docker ?? CONTAINER_DEFAULTS.docker, record.docker],
    ["snapshotSchedule", entry.snapshotSchedule ?? "", record.schedule.snapshotSchedule ?? ""],
    ["snapshotExpiry", entry.snapshotExpiry ?? "", record.schedule.snapshotExpiry ?? ""],
  ];
  return fields
    .map(([field, config, actual]) => ({ field, config: String(config), actual: String(actual) }))
    .filter(({ field, config, actual }) => !isSame(field, config, actual))
    .map((difference) => ({ user: entry.user, server, ...difference }));
}

/** `4GiB` is `4096MiB`. */
function isSame(field: Difference["field"], config: string, actual: string): boolean {
  if (config === actual) return true;
  if (field !== "memory" && field !== "diskQuota") return false;
  try {
    return parseSize(config, field).bytes === parseSize(actual, field).bytes;
  } catch {
    return false;
  }
}

/** Comments differ from one place to the other, and open nothing. */
function fingerprints(lines: readonly string[]): string {
  const known = lines.map((line) => {
    try {
      return parsePublicKey(line, "key").fingerprint;
    } catch {
      return "(not a key)";
    }
  });
  return [...new Set(known)].sort().join(" ");
}
