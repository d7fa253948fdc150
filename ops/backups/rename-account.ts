import { ConflictError, NotFoundError } from "../errors";
import type { RequestOptions } from "../incus/client";
import type { InstanceFiles } from "../incus/instance-files";

/** passwd(5) and its relatives: fields between colons, the name first. */
const FILES = ["/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid"];
/** What makes a machine itself; made anew at the next boot. */
const IDENTITY = ["/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub"];

/**
 * Makes a stopped container another person's: account, group, sudo and host key. Their home is the old one under the
 * new name too (a link), so that paths in it stay right.
 *
 * @throws ConflictError when the container has an account of the new name already
 */
export async function renameAccount(
  files: InstanceFiles,
  from: string,
  to: string,
  options?: RequestOptions,
): Promise<void> {
  const passwd = (await files.get("/etc/passwd", options)).toString("utf8");
  if (hasAccount(passwd, to) && hasAccount(passwd, from)) {
    throw new ConflictError(`the container has an account ${to} already, beside ${from}`, {
      remedy: "Choose another name.",
    });
  }
  for (const file of FILES) await files.edit(file, (text) => renamed(text, from, to), options).catch(absent);
  await files.link(`/home/${to}`, `/home/${from}`, options);
  // The unit that prepares the person writes these again.
  for (const file of ["/etc/sudoers.d/containarium", `/etc/ssh/authorized_keys.d/${from}`, ...IDENTITY])
    await files.delete(file, options).catch(absent);
  await files.edit("/etc/machine-id", () => "", options).catch(absent);
}

function hasAccount(passwd: string, name: string): boolean {
  return passwd.split("\n").some((line) => line.startsWith(`${name}:`));
}

/** Names, members of groups, and the home directory. PURE. */
export function renamed(text: string, from: string, to: string): string {
  const member = (names: string) => names.split(",").map((name) => (name === from ? to : name)).join(","); // prettier-ignore
  return text
    .split("\n")
    .map((line) => {
      const [name = "", ...fields] = line.split(":");
      const last = fields.pop();
      const rest = fields.map((field) => (field === `/home/${from}` ? `/home/${to}` : member(field)));
      return [name === from ? to : name, ...rest, ...(last === undefined ? [] : [member(last)])].join(":");
    })
    .join("\n");
}

function absent(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}
