import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { ConflictError } from "../errors";

/** Names the gate's folder to whoever has to wait at it. */
const VARIABLE = "CONTAINARIUM_CREATION_GATE";
const LOOK_MS = 20;

/**
 * Lets somebody get ready to take over a container while it is still being made: an engine needs seconds until it asks for
 * one. Whoever makes the container holds the gate; when they fail or die, nobody comes through.
 */
export class CreationGate {
  private opened = 0;

  private constructor(
    /** Private to this user; other files may be put here, and go with it. */
    readonly folder: string,
  ) {}

  static async make(): Promise<CreationGate> {
    const gate = new CreationGate(await mkdtemp(path.join(os.tmpdir(), "containarium-create-")));
    try {
      writeFileSync(path.join(gate.folder, "holder"), String(process.pid));
    } catch (error) {
      // A full disk.
      gate.remove();
      throw error;
    }
    return gate;
  }

  /** What the one who waits needs in its environment. */
  get environment(): NodeJS.ProcessEnv {
    return { [VARIABLE]: this.folder };
  }

  /** The container is complete. */
  open(): void {
    this.opened = Date.now();
    writeFileSync(path.join(this.folder, "open"), "");
  }

  /** By how much the other side came before the gate was open; negative where the container had to wait. In milliseconds. */
  waited(): number | undefined {
    const asked = statSync(path.join(this.folder, "asked"), { throwIfNoEntry: false });
    return asked === undefined || this.opened === 0 ? undefined : this.opened - Math.round(asked.mtimeMs);
  }

  /** Whoever waits is refused, and whoever comes later. The folder stays: somebody may still have to read what is in it. */
  refuse(): void {
    rmSync(path.join(this.folder, "holder"), { force: true });
  }

  /** When nobody comes any more. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * Waits until the container is complete that somebody else is making, if this process was started for that.
 * @throws ConflictError when its maker failed or is gone
 */
export async function passCreationGate(user: string, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const folder = env[VARIABLE];
  if (folder === undefined) return;
  try {
    writeFileSync(path.join(folder, "asked"), "");
    const holderFile = path.join(folder, "holder");
    const holder = Number(readFileSync(holderFile, "utf8"));
    const isOpen = () => existsSync(path.join(folder, "open"));
    while (!isOpen()) {
      // Whoever opens it may die in the next moment: what counts is what it looks like after that.
      if (!isAlive(holder) && !isOpen()) throw new Error("its maker is gone");
      if (!existsSync(holderFile)) throw new Error("its maker has given up");
      await sleep(LOOK_MS);
    }
  } catch (cause) {
    // Nobody else does it when the maker was killed.
    rmSync(folder, { recursive: true, force: true });
    throw new ConflictError(`the container of ${user} was not completed`, {
      cause,
      remedy: "Nothing was recorded. Make it again:  containarium-ops create",
    });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    // Ended, but nobody has asked about it: such a one answers for good where process 1 is no init.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    // There is no /proc here.
    return true;
  }
}
