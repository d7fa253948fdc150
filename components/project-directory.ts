import { existsSync } from "node:fs";
import * as path from "node:path";

/** The folder of the Pulumi project that this process works for: the nearest one upwards that has a Pulumi.yaml. */
export function projectDirectory(from = process.cwd()): string {
  for (let at = path.resolve(from); ; at = path.dirname(at)) {
    if (existsSync(path.join(at, "Pulumi.yaml"))) return at;
    if (path.dirname(at) === at) return path.resolve(from);
  }
}
