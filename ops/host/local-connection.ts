import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { INCUS_SOCKET, unixSocketStream } from "../incus/unix-socket";
import { CommandStream } from "./command-stream";
import { INCUS_BRIDGE_COMMAND, type HostCommand } from "./commands";
import type { Connection, RunningCommand } from "./connection";
import { explainBridgeEnd } from "./explain";

/** This machine as the server. Without sudo where we are root already. */
export class LocalConnection implements Connection {
  constructor(
    readonly name: string,
    private readonly incusSocket: string = INCUS_SOCKET,
  ) {}

  async run(command: HostCommand): Promise<RunningCommand> {
    const words = command.split(" ");
    const [program = "", ...args] = process.getuid?.() === 0 ? words.slice(2) : words;
    const child = spawn(program, args, { stdio: "pipe" });
    let failure = "";
    const ended = new Promise<{ code: number | null }>((resolve) => {
      child.on("error", (error) => {
        // Said as sudo says it, so that both are explained in one place.
        failure = `sudo: ${program}: command not found (${error.message})`;
        child.stderr.push(failure);
        child.stderr.push(null);
        resolve({ code: 127 });
      });
      child.on("close", (code) => resolve({ code }));
    });
    // A command that ends early closes its input; its exit code says why.
    child.stdin.on("error", () => undefined);
    return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, kill: () => void child.kill() };
  }

  async openIncus(): Promise<Duplex> {
    const isOurs = await access(this.incusSocket, constants.R_OK | constants.W_OK).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === "ENOENT",
    );
    if (isOurs || this.incusSocket !== INCUS_SOCKET) return unixSocketStream(this.incusSocket)();
    const command = await this.run(INCUS_BRIDGE_COMMAND);
    return new CommandStream(command, (end) => explainBridgeEnd(this.name, end));
  }

  dial(address: string, port: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port, noDelay: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(socket);
      });
    });
  }

  async close(): Promise<void> {
    // Nothing is held open between two requests.
  }
}
