import fs from "node:fs/promises";
import path from "node:path";

import { replaceFile } from "../replace-file";
import type { ExportFiles } from "./export-text";

/** Where an export was written. */
export interface WrittenExport {
  configFile: string;
  knownHostsFile: string;
  /** False when both files were there already, word for word. */
  changed: boolean;
}

/**
 * Writes the config and, beside it, the known_hosts that it names, both by absolute path: `ssh -F` then works from any
 * folder.
 * @param output absolute; in a folder the file is called `containarium-<user>`
 */
export async function writeExport(
  files: ExportFiles,
  output: string,
  keyFile: string | undefined,
): Promise<WrittenExport> {
  const isFolder = await fs
    .stat(output)
    .then((stats) => stats.isDirectory())
    .catch(() => false);
  const configFile = isFolder ? path.join(output, `containarium-${files.user}`) : output;
  const knownHostsFile = `${configFile}.known_hosts`;
  // The keys first: a config that is there must be able to check them.
  const keysChanged = await replaceFile(knownHostsFile, files.knownHosts);
  const configChanged = await replaceFile(configFile, files.config(knownHostsFile, keyFile));
  return { configFile, knownHostsFile, changed: keysChanged || configChanged };
}
