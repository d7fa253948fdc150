import path from "node:path";

/** Where an exported config looks for its pinned keys once it is in a user's `~/.ssh`. */
export const installedKnownHosts = "~/.ssh/containarium_known_hosts";

/** The line that makes ssh read the files in config.d; it must stand before the first Host or Match. */
export const includeLine = "Include config.d/containarium-*";

/** What `export` has to give, before it is decided where it goes. */
export interface ExportFiles {
  user: string;
  knownHosts: string;
  config(knownHostsFile: string, keyFile: string | undefined): string;
}

/**
 * The whole of what `export` prints: a config that is a valid file as it stands, with the pinned host keys as comments
 * in it and the commands that put both in place. One file can be sent to the user; nothing is trusted on first use.
 */
export function exportText(user: string, config: string, knownHosts: string): string {
  const file = `containarium-${user}`;
  return [
    `# SSH access for ${user}`,
    `#`,
    `# 1. Save this file as ~/.ssh/config.d/${file}`,
    `#    and make this the first line of ~/.ssh/config:   ${includeLine}`,
    `# 2. Pin the servers' keys, which came with this file:`,
    `#    sed -n 's/^# known_hosts: //p' ~/.ssh/config.d/${file} >> ${installedKnownHosts}`,
    `# 3. ssh ${user}-dev`,
    `#`,
    ...lines(knownHosts).map((line) => `# known_hosts: ${line}`),
    ``,
    config.trimEnd(),
  ].join("\n");
}

/** `/home/admin/.ssh/key` as `~/.ssh/key`: ssh reads that as the home of whoever uses the file. */
export function homeRelative(file: string, home: string): string {
  const relative = path.relative(home, file);
  return relative.startsWith("..") || path.isAbsolute(relative) ? file : `~/${relative}`;
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
