import os from "node:os";

import type { ContainerSpec } from "../../ops/containers/container";
import { parseCpu, parseDiskQuota, parseMemory, parseProcesses } from "../../ops/containers/size";
import { parseUserName } from "../../ops/containers/user-name";
import { InvalidInputError } from "../../ops/errors";
import type { PublicKey } from "../../ops/keys/public-key";
import type { Io } from "../io";
import { readKeys, refuseSecondStdin } from "./key-files";

/** The command line of `create`, unchecked. */
export interface CreateInput {
  users: string[];
  sshKey: string[];
  image?: string;
  cpu?: string;
  memory?: string;
  diskQuota?: string;
  processes?: string;
  autostart?: boolean;
  docker?: boolean;
}

/** Somebody to make, and where, if that was said. */
export interface Wanted {
  spec: ContainerSpec;
  serverName?: string;
}

/** Stands for the user's name in `--ssh-key`, so that several people get a key each. */
const placeholder = "{user}";

/**
 * Checks everything that can be checked without a server, and reads the key files.
 * @returns one spec for each user, in the order given; what was not said is absent
 * @throws InvalidInputError; nothing has happened then
 */
export async function readCreateInput(
  input: CreateInput,
  io: Pick<Io, "stdin" | "cwd" | "home">,
): Promise<ContainerSpec[]> {
  const users = input.users.map(parseUserName);
  refuseTwice(users);
  const shared = input.sshKey.find((file) => !file.includes(placeholder));
  if (users.length > 1 && shared !== undefined) {
    throw new InvalidInputError(`one key for ${users.length} users: ${shared}`, {
      remedy: `Every user has a key of their own. Let {user} stand for the name:\n  npx containarium-ops create ${users.join(" ")} --ssh-key 'keys/${placeholder}.pub'`,
    });
  }
  refuseSecondStdin(input.sshKey);
  const limits = readLimits(input);
  const specs: ContainerSpec[] = [];
  for (const user of users) {
    const keys: PublicKey[] = [];
    for (const file of input.sshKey)
      keys.push(...(await readKeys(file.replaceAll(placeholder, user), `create ${user}`, user, io)));
    specs.push({ user, sshKeys: distinct(keys), ...limits });
  }
  return specs;
}

/** What was said of a container's size and kind, checked; what was not is absent. @throws InvalidInputError */
export function readLimits(input: Omit<CreateInput, "users" | "sshKey">): Omit<ContainerSpec, "user" | "sshKeys"> {
  const { image, cpu, memory, diskQuota, processes, autostart, docker } = input;
  if (image?.trim() === "")
    throw new InvalidInputError("--image is empty", { remedy: "Leave it out for the default image." });
  return {
    ...(image !== undefined && { image }),
    ...(cpu !== undefined && { cpu: readCpu(cpu) }),
    ...(memory !== undefined && { memory: parseMemory(memory, "--memory").text }),
    ...(diskQuota !== undefined && { diskQuota: parseDiskQuota(diskQuota, "--disk-quota").text }),
    ...(processes !== undefined && { processes: readProcesses(processes) }),
    ...(autostart === false && { autostart }),
    ...(docker === false && { docker }),
  };
}

function readCpu(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text.trim())) return parseCpu(Number(text), "--cpu");
  throw new InvalidInputError(`--cpu ${JSON.stringify(text)} is not a number of cores`, {
    remedy: "Give cores, for example 4 or 0.5.",
  });
}

function readProcesses(text: string): number {
  return parseProcesses(/^\d+$/.test(text.trim()) ? Number(text) : NaN, "--processes");
}

function distinct(keys: PublicKey[]): string[] {
  return [...new Map(keys.map((key) => [key.blob, key.line])).values()];
}

function refuseTwice(users: readonly string[]): void {
  const twice = users.find((user, index) => users.indexOf(user) !== index);
  if (twice) throw new InvalidInputError(`${twice} is named twice`, { remedy: "Name each user once." });
}

/** Every name once; and the same key in two files would let one person into another's container. */
export function refuseTwins(specs: readonly ContainerSpec[]): void {
  const users = specs.map(({ user }) => user);
  refuseTwice(users);
  const owners = new Map<string, string>();
  for (const { user, sshKeys } of specs) {
    for (const line of sshKeys) {
      const key = line.split(" ").slice(0, 2).join(" ");
      const owner = owners.get(key);
      if (owner) {
        throw new InvalidInputError(`${owner} and ${user} have the same key`, {
          remedy: "Every user has a key of their own: ask them for it.",
        });
      }
      owners.set(key, user);
    }
  }
}

/** Who made a container, as its config on the server remembers it. */
export function createdBy(env: NodeJS.ProcessEnv): string {
  return `${env.SUDO_USER ?? env.USER ?? os.userInfo().username}@${os.hostname()}`;
}
