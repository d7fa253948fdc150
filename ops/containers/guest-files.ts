import type { IncusClient, RequestOptions } from "../incus/client";
import { OperationError } from "../errors";
import { parsePublicKey } from "../keys/public-key";

/** Files inside a container that we write; the golden image reads them at boot (containarium-user.service). */
export const USER_FILE = "/etc/containarium/user.json";
export const KEYS_DIRECTORY = "/etc/ssh/authorized_keys.d";
export const HOST_KEY_FILE = "/etc/ssh/ssh_host_ed25519_key.pub";

/** Says whom to make at boot. */
export function renderUserFile({ user, docker }: { user: string; docker: boolean }): string {
  return `${JSON.stringify({ user, docker })}\n`;
}

/** Root owns it, so that the administrator's keys stay when the user edits ~/.ssh/authorized_keys. */
export function renderAuthorizedKeys(lines: readonly string[]): string {
  return ["# Written by containarium. Add keys of your own in ~/.ssh/authorized_keys.", ...lines, ""].join("\n");
}

export async function writeUserFile(
  incus: IncusClient,
  name: string,
  content: { user: string; docker: boolean },
  options?: RequestOptions,
): Promise<void> {
  const files = incus.instances.files(name);
  await files.mkdir("/etc/containarium", { mode: 0o755 }, options);
  await files.put(USER_FILE, renderUserFile(content), { mode: 0o644 }, options);
}

export async function writeAuthorizedKeys(
  incus: IncusClient,
  name: string,
  { user, keys }: { user: string; keys: readonly string[] },
  options?: RequestOptions,
): Promise<void> {
  const files = incus.instances.files(name);
  await files.mkdir(KEYS_DIRECTORY, { mode: 0o755 }, options);
  await files.put(`${KEYS_DIRECTORY}/${user}`, renderAuthorizedKeys(keys), { mode: 0o644 }, options);
}

/**
 * The container's host key, `type base64`, as Incus reads it: nothing is taken on trust from the network.
 *
 * @throws NotFoundError when the container has none yet
 */
export async function readHostKey(incus: IncusClient, name: string, options?: RequestOptions): Promise<string> {
  const content = await incus.instances.files(name).get(HOST_KEY_FILE, options);
  try {
    const { type, blob } = parsePublicKey(content.toString("utf8"), HOST_KEY_FILE);
    return `${type} ${blob}`;
  } catch (cause) {
    throw new OperationError(`${name} has no usable SSH host key: ${(cause as Error).message}`, { cause });
  }
}
