import path from "node:path";
import lockfile from "proper-lockfile";

import { ConflictError } from "../../ops/errors";
import { readIfExists, replaceFile } from "../replace-file";
import { editConfig, readConfig } from "./config-text";
import type { DesiredChange, DesiredContainer } from "./config-text";

/** The people whom the stack's config names. */
export async function readDesired(file: string): Promise<DesiredContainer[]> {
  return readConfig((await readIfExists(file)) ?? "", file);
}

/**
 * Changes the config file, keeping its comments and everything it does not touch. Serialised between processes by a
 * lock, replaced as a whole: nobody ever sees half a file.
 * @returns whether anything changed
 */
export async function changeDesired(file: string, change: DesiredChange): Promise<boolean> {
  const release = await lockConfig(file);
  try {
    const before = (await readIfExists(file)) ?? "";
    const after = editConfig(before, change, file);
    if (after === before) return false;
    await replaceFile(file, after, 0o644);
    return true;
  } finally {
    await release();
  }
}

async function lockConfig(file: string): Promise<() => Promise<void>> {
  try {
    return await lockfile.lock(file, {
      realpath: false,
      stale: 10_000,
      retries: { retries: 60, factor: 1.2, minTimeout: 20, maxTimeout: 200, randomize: true },
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ELOCKED") throw error;
    throw new ConflictError(`somebody else is changing ${path.basename(file)}`, {
      remedy: `Run it again; if nobody is, remove the folder ${file}.lock`,
      cause: error,
    });
  }
}
