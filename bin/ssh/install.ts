import fs from "node:fs/promises";
import path from "node:path";

import { readIfExists, replaceFile } from "../replace-file";
import { includeLine, installedKnownHosts } from "./export-text";
import type { ExportFiles } from "./export-text";
import type { WrittenExport } from "./write-export";

/**
 * Puts a user's config into `~/.ssh` of this machine: its own file in config.d, its keys in a block of a known_hosts of
 * ours, and one Include at the top of the config. Running it again changes nothing.
 */
export async function installExport(
  files: ExportFiles,
  home: string,
  keyFile: string | undefined,
): Promise<WrittenExport> {
  const folder = path.join(home, ".ssh");
  await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const configFile = path.join(folder, "config.d", `containarium-${files.user}`);
  const knownHostsFile = path.join(folder, "containarium_known_hosts");
  const mainFile = path.join(folder, "config");
  const knownHosts = withBlock((await readIfExists(knownHostsFile)) ?? "", files.user, files.knownHosts);
  const main = withInclude((await readIfExists(mainFile)) ?? "", home);
  const changed = [
    await replaceFile(knownHostsFile, knownHosts),
    await replaceFile(configFile, files.config(installedKnownHosts, keyFile)),
    await replaceFile(mainFile, main),
  ];
  return { configFile, knownHostsFile, changed: changed.includes(true) };
}

/** PURE: the user's lines between two marks, put in place of the ones from before. Other users' blocks stay. */
export function withBlock(text: string, user: string, knownHosts: string): string {
  const begin = `# begin containarium ${user}`;
  const end = `# end containarium ${user}`;
  const block = `${begin}\n${knownHosts.trimEnd()}\n${end}\n`;
  const all = text.split("\n");
  const from = all.indexOf(begin);
  const to = all.indexOf(end, from);
  if (from < 0 || to < 0) return text === "" || text.endsWith("\n") ? text + block : `${text}\n${block}`;
  const rest = all.slice(to + 1).join("\n");
  return [...all.slice(0, from), block.trimEnd(), rest].join("\n");
}

/** PURE: the config with our Include, which must come before the first Host or Match to apply everywhere. */
export function withInclude(text: string, home: string): string {
  for (const line of text.split("\n")) {
    const [keyword = "", ...patterns] = line.trim().split(/[\s=]+/);
    if (/^(host|match)$/i.test(keyword)) break;
    if (/^include$/i.test(keyword) && patterns.some((pattern) => covers(pattern, home))) return text;
  }
  return text === "" ? `${includeLine}\n` : `${includeLine}\n\n${text}`;
}

function covers(pattern: string, home: string): boolean {
  const full = pattern
    .replace(/^"|"$/g, "")
    .replace(/^~\/\.ssh\//, "")
    .replace(`${path.join(home, ".ssh")}/`, "");
  return full === "config.d/*" || full === "config.d/containarium-*";
}
