import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

/** One run of a `command.remote.Command`. Never with the private key: this is written to a file. */
export interface CommandRun {
  action: "create" | "update" | "delete";
  command: string;
  host: string;
  port: number;
  user?: string;
  /** The key that was pinned; undefined when whoever answered was trusted. */
  hostKey?: string;
  triggers?: unknown[];
}

/** What was run, by the resource's name, one file each. */
export class CommandLog {
  private readonly folder: string;

  constructor(directory: string) {
    this.folder = path.join(directory, "commands");
  }

  add(name: string, run: CommandRun): void {
    mkdirSync(this.folder, { recursive: true });
    appendFileSync(path.join(this.folder, `${name}.jsonl`), `${JSON.stringify(run)}\n`);
  }

  of(name: string): CommandRun[] {
    const file = path.join(this.folder, `${name}.jsonl`);
    if (!existsSync(file)) return [];
    return readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line) as CommandRun); // prettier-ignore
  }

  names(): string[] {
    const files = existsSync(this.folder) ? readdirSync(this.folder) : [];
    return files.filter((file) => file.endsWith(".jsonl")).map((file) => path.basename(file, ".jsonl"));
  }

  /** From now on this one fails, with these words; undefined: it works again. */
  fail(name: string, words: string | undefined): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(path.join(this.folder, `${name}.fails`), words ?? "");
  }

  failureOf(name: string): string | undefined {
    const file = path.join(this.folder, `${name}.fails`);
    return existsSync(file) ? readFileSync(file, "utf8") || undefined : undefined;
  }
}
