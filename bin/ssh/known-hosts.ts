import { createHmac } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

import { AuthenticationError, InvalidInputError } from "../../ops/errors";

/**
 * The keys (`type base64`) that known_hosts text pins for a host. Reads plain, `[host]:port` and hashed entries;
 * entries with wildcards, certificate authorities and revoked keys pin nothing. See sshd(8), SSH_KNOWN_HOSTS.
 */
export function pinnedKeys(text: string, host: string, port: number): string[] {
  const wanted = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
  const keys = new Set<string>();
  const revoked = new Set<string>();
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith("@") ? words.shift() : undefined;
    const [names = "", type, base64] = words;
    if (names.startsWith("#") || !type || !base64 || !names.split(",").some((name) => matches(name, wanted))) continue;
    if (marker === undefined) keys.add(`${type} ${base64}`);
    if (marker === "@revoked") revoked.add(`${type} ${base64}`);
  }
  return [...keys].filter((key) => !revoked.has(key));
}

function matches(name: string, wanted: string): boolean {
  const [, salt, hash] = /^\|1\|([^|]+)\|([^|]+)$/.exec(name) ?? [];
  if (!salt || !hash) return name.toLowerCase() === wanted;
  return createHmac("sha1", Buffer.from(salt, "base64")).update(wanted).digest("base64") === hash;
}

/**
 * Looks a host up in known_hosts files; the first file that knows it decides.
 * @param files the default places; a missing one is skipped
 * @param given named by the user: it alone is read, and it must be there
 * @throws AuthenticationError when nobody pins the host: nothing is trusted on first use
 */
export function hostKeysOf(host: string, port: number, files: string[], given?: string): string[] {
  for (const file of given === undefined ? files : [given]) {
    let text: string;
    try {
      text = fs.readFileSync(file, "utf8");
    } catch (error) {
      if (given === undefined) continue;
      throw new InvalidInputError(`cannot read --known-hosts ${given}: ${reason(error)}`, { cause: error });
    }
    const keys = pinnedKeys(text, host, port);
    if (keys.length > 0) return keys;
  }
  const name = port === 22 ? host : `[${host}]:${port}`;
  throw new AuthenticationError(`the host key of ${name} is not known here, and nothing is trusted on first use`, {
    remedy:
      `Read the server's key where you can trust it (on its console: /srv/containarium/ssh/ssh_host_ed25519_key.pub),\n` +
      `and put it into ${given ?? files[0]} as one line:  ${name} ssh-ed25519 AAAA...`,
  });
}

/** Where pinned keys are looked for when nobody says. */
export function knownHostsFiles(home: string, projectRoot: string | undefined): string[] {
  const own = path.join(home, ".ssh", "known_hosts");
  return projectRoot === undefined ? [own] : [own, path.join(projectRoot, ".containarium", "known_hosts")];
}

function reason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (error as Error).message;
}
