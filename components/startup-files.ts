import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import * as path from "node:path";

/** One file that a server boots with. */
export interface StartupFile {
  name: string;
  content: string;
  executable: boolean;
}

/** The package's own folder: its files are beside the code, built or not. */
export function packageDirectory(): string {
  for (let at = __dirname; path.dirname(at) !== at; at = path.dirname(at)) {
    if (existsSync(path.join(at, "package.json"))) return at;
  }
  throw new Error("package.json is missing");
}

export function startupDirectory(): string {
  return path.join(packageDirectory(), "startup");
}

/** Every file of startup/, by name. The same on GCE and on the local target. */
export function startupFiles(): StartupFile[] {
  const directory = startupDirectory();
  return readdirSync(directory)
    .sort()
    .map((name) => ({ name, path: path.join(directory, name) }))
    .filter(({ path: file }) => statSync(file).isFile())
    .map(({ name, path: file }) => ({
      name,
      content: readFileSync(file, "utf8"),
      // Modes do not survive every way of packing; what starts with a shebang is a program.
      executable: readFileSync(file, "utf8").startsWith("#!"),
    }));
}

/** Changes when any startup file changes: the trigger to run them again on living servers. */
export function startupHash(files = startupFiles()): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(JSON.stringify([file.name, file.content, file.executable]));
  return hash.digest("hex").slice(0, 16);
}
