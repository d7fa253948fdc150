import fs from "node:fs/promises";
import path from "node:path";

/**
 * Replaces a file as a whole (temp + rename), with the mode it had. A symbolic link stays one: what
 * it points to is replaced.
 * @param newMode of a file that was not there
 * @returns whether anything changed
 */
export async function replaceFile(file: string, text: string, newMode = 0o600): Promise<boolean> {
  const target = await fs.realpath(file).catch(() => file);
  const before = await readIfExists(target);
  if (before === text) return false;
  const mode = before === undefined ? newMode : (await fs.stat(target)).mode & 0o777;
  await fs.mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    await fs.writeFile(temporary, text, { mode, flag: "wx" });
    // The umask may have taken bits away.
    await fs.chmod(temporary, mode);
    await fs.rename(temporary, target);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
  return true;
}

export async function readIfExists(file: string): Promise<string | undefined> {
  try {
    return await fs.readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
