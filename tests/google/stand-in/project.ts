import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import type { Properties } from "./engine-protocol";

/** One thing in the pretended Google project. */
export interface Thing {
  /** `gcp:compute/disk:Disk` */
  type: string;
  /** `projects/P/zones/Z/disks/NAME` */
  id: string;
  /** What it was asked to be; what a refresh finds. */
  inputs: Properties;
  outputs: Properties;
  /** What the system inside said of itself since its last boot: guest attributes by `namespace/key`. */
  guest?: Record<string, string>;
}

/** How a VM behaves that a test has plans with; by its name, also before it is made. */
export interface VmBehaviour {
  /** false: it runs, and nothing in it ever answers. */
  boots?: boolean;
  /** Host key that it has instead of its data disk's. */
  hostKey?: string;
}

/**
 * A Google project in a folder: one JSON file per thing, at its id. Tests look at it and change it as somebody with a
 * browser would: a file that is deleted is a resource that somebody deleted.
 */
export class PretendedProject {
  constructor(readonly directory: string) {}

  all(type?: string): Thing[] {
    const root = this.file("things");
    if (!existsSync(root)) return [];
    return readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".json"))
      .sort()
      .flatMap((name) => readJson<Thing>(path.join(root, name)) ?? [])
      .filter((thing) => type === undefined || shortType(thing.type) === type || thing.type === type);
  }

  find(id: string): Thing | undefined {
    return readJson<Thing>(this.thingFile(id));
  }

  /** By type without its package and by the last part of its id: `named("Disk", "jump-1-data")`. */
  named(type: string, name: string): Thing {
    const found = this.all(type).find(({ id }) => id.endsWith(`/${name}`));
    if (found === undefined) throw new Error(`the pretended project has no ${type} ${name}`);
    return found;
  }

  /** @returns false when there is one already; several processes may try. */
  add(thing: Thing): boolean {
    const file = this.thingFile(thing.id);
    const complete = writeBeside(file, thing);
    try {
      linkSync(complete, file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      return false;
    } finally {
      rmSync(complete);
    }
  }

  put(thing: Thing): void {
    const file = this.thingFile(thing.id);
    renameSync(writeBeside(file, thing), file);
  }

  remove(id: string): void {
    rmSync(this.thingFile(id), { force: true });
  }

  behaviourOf(vm: string): VmBehaviour {
    return readJson<VmBehaviour>(this.file("behaviour", `${vm}.json`)) ?? {};
  }

  behave(vm: string, behaviour: VmBehaviour): void {
    const file = this.file("behaviour", `${vm}.json`);
    renameSync(writeBeside(file, behaviour), file);
  }

  file(...parts: string[]): string {
    return path.join(this.directory, ...parts);
  }

  private thingFile(id: string): string {
    return this.file("things", `${id}.json`);
  }
}

/** `Disk` of `gcp:compute/disk:Disk`. */
export function shortType(type: string): string {
  return type.split(":").at(-1) ?? type;
}

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

let written = 0;

function writeBeside(file: string, content: unknown): string {
  mkdirSync(path.dirname(file), { recursive: true });
  const beside = `${file}.${process.pid}.${written++}`;
  writeFileSync(beside, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  return beside;
}
