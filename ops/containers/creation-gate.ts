import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";

import { ConflictError } from "../errors";

/** Names the gate's folder to whoever has to wait at it. */
const VARIABLE = "CONTAINARIUM_CREATION_GATE";

/**
 * Lets somebody get ready to take over a container while it is still being made: an engine needs seconds until it asks for
 * one. Who waits is connected to the maker, by a socket in a private folder. When the maker has decided, or is dead, the
 * kernel ends the connection; a file says whether the gate is open then, also when nobody is there to be asked any more.
 */
export class CreationGate {
  private readonly waiting = new Set<net.Socket>();
  private readonly times: { asked?: number; opened?: number } = {};
  private decided = false;

  private constructor(
    /** Private to this user; other files may be put here, and go with it. */
    readonly folder: string,
    /** On which those who wait are connected. */
    readonly server: net.Server,
  ) {
    server.on("connection", (socket) => {
      this.times.asked ??= Date.now();
      socket.on("error", () => undefined).on("close", () => this.waiting.delete(socket));
      if (this.decided) socket.destroy();
      else this.waiting.add(socket);
    });
  }

  static async make(): Promise<CreationGate> {
    const folder = await mkdtemp(path.join(os.tmpdir(), "containarium-create-"));
    const server = net.createServer().listen(path.join(folder, "wait"));
    try {
      await once(server, "listening");
    } catch (error) {
      // A full disk, or a folder whose name is too long for a socket.
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    server.unref();
    return new CreationGate(folder, server);
  }

  /** What the one who waits needs in its environment. */
  get environment(): NodeJS.ProcessEnv {
    return { [VARIABLE]: this.folder };
  }

  /** The container is complete. */
  open(): void {
    this.times.opened = Date.now();
    writeFileSync(path.join(this.folder, "open"), "");
    this.decide();
  }

  /** By how much the other side came before the gate was open; negative where the container had to wait. In milliseconds. */
  waited(): number | undefined {
    const { asked, opened } = this.times;
    return asked === undefined || opened === undefined ? undefined : opened - asked;
  }

  /** Whoever waits is refused, and whoever comes later. The folder stays: somebody may still have to read what is in it. */
  refuse(): void {
    this.decide();
  }

  /** When nobody comes any more. */
  remove(): void {
    this.decide();
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private decide(): void {
    this.decided = true;
    for (const socket of this.waiting) socket.destroy();
  }
}

/**
 * Waits until the container is complete that somebody else is making, if this process was started for that.
 * @throws ConflictError when its maker failed or is gone
 */
export async function passCreationGate(user: string, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const folder = env[VARIABLE];
  if (folder === undefined) return;
  await untilDecided(path.join(folder, "wait"));
  if (existsSync(path.join(folder, "open"))) return;
  // Nobody else does it when the maker was killed.
  rmSync(folder, { recursive: true, force: true });
  throw new ConflictError(`the container of ${user} was not completed`, {
    remedy: "Nothing was recorded. Make it again:  containarium-ops create",
  });
}

/** Until the maker hangs up, or is found dead. */
function untilDecided(socket: string): Promise<void> {
  return new Promise((resolve) => {
    const connection = net.connect(socket);
    connection.on("error", () => undefined).on("close", () => resolve());
    connection.resume();
  });
}
