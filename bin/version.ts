import fs from "node:fs";
import path from "node:path";

export function readVersion(): string {
  // The compiled file is dist/bin/version.js, the source bin/version.ts.
  for (const folder of [path.resolve(__dirname, ".."), path.resolve(__dirname, "../..")]) {
    const file = path.join(folder, "package.json");
    if (fs.existsSync(file)) return (JSON.parse(fs.readFileSync(file, "utf8")) as { version: string }).version;
  }
  return "unknown";
}
