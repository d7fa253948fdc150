import { InvalidInputError } from "../errors";
import { parsePublicKey, uniqueKeys, type PublicKey } from "../keys/public-key";
import type { ContainerSpec } from "./container";
import { parseSchedule, parseScheduleExpiry } from "../snapshots/schedule-text";
import { parseCpu, parseDiskQuota, parseMemory, parseProcesses, type Size } from "./size";
import { containerName, parseUserName } from "./user-name";

/** What a container is when nothing else is said. The image is the server's golden image. */
export const CONTAINER_DEFAULTS = {
  cpu: 4,
  memory: "4GiB",
  diskQuota: "20GB",
  processes: 4096,
  autostart: true,
  docker: true,
} as const;

/** Nobody is made whom no key lets in; an existing person may be locked out. @throws InvalidInputError */
export function assertHasKey({ user, keys }: ResolvedSpec): void {
  if (keys.length > 0) return;
  throw new InvalidInputError(`${user} has no SSH key`, { remedy: "Give at least one public key." });
}

/** A ContainerSpec that was checked, with every default filled in. */
export interface ResolvedSpec {
  user: string;
  /** `<user>-container` */
  name: string;
  keys: PublicKey[];
  /** Undefined: the golden image of the server. */
  image: string | undefined;
  cpu: number;
  memory: Size;
  diskQuota: Size;
  processes: number;
  autostart: boolean;
  docker: boolean;
  snapshotSchedule?: string;
  snapshotExpiry?: string;
}

/**
 * Checks everything that can be known without a server.
 *
 * @throws InvalidInputError
 */
export function resolveSpec(spec: ContainerSpec): ResolvedSpec {
  const user = parseUserName(spec.user);
  const keys = spec.sshKeys.map((text, index) => {
    return parsePublicKey(
      text,
      spec.sshKeys.length === 1 ? `the SSH key of ${user}` : `SSH key ${index + 1} of ${user}`,
    );
  });
  return {
    user,
    name: containerName(user),
    keys: uniqueKeys(keys),
    image: spec.image,
    cpu: parseCpu(spec.cpu ?? CONTAINER_DEFAULTS.cpu),
    memory: parseMemory(spec.memory ?? CONTAINER_DEFAULTS.memory),
    diskQuota: parseDiskQuota(spec.diskQuota ?? CONTAINER_DEFAULTS.diskQuota),
    processes: parseProcesses(spec.processes ?? CONTAINER_DEFAULTS.processes),
    autostart: spec.autostart ?? CONTAINER_DEFAULTS.autostart,
    docker: spec.docker ?? CONTAINER_DEFAULTS.docker,
    ...(spec.snapshotSchedule !== undefined && { snapshotSchedule: parseSchedule(spec.snapshotSchedule) }),
    ...(spec.snapshotExpiry !== undefined && { snapshotExpiry: parseScheduleExpiry(spec.snapshotExpiry) }),
  };
}
