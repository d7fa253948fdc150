import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { Client, type Algorithms, type AnyAuthMethod, type ClientChannel } from "ssh2";
import { OperationError, UnreachableError } from "../errors";
import type { ServerAddress } from "../fleet/inventory";
import { interrupted, throwIfInterrupted } from "../wait";
import { CommandStream } from "./command-stream";
import { INCUS_BRIDGE_COMMAND, type HostCommand } from "./commands";
import { ForwardingForbiddenError, type Connection, type RunningCommand } from "./connection";
import { explainBridgeEnd } from "./explain";
import { hostKeyAlgorithms, isPinned, parsePinnedKeys, type PinnedKey } from "./host-keys";
import { findIdentities, type Identities } from "./identity";
import { translateSshError } from "./ssh-errors";
import { connectTcp } from "./tcp";

export interface SshOptions {
  /** Relative identity files start here. Default: the working directory. */
  identityBaseDirectory?: string;
  /** For the TCP connection, and again for the SSH handshake with login, in milliseconds. Default 10000. */
  connectTimeoutMs?: number;
  logger?: Logger;
  /** Gives up connecting; an open connection is not affected. */
  signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const KEEPALIVE_MS = 10_000;
const KEEPALIVE_TRIES = 3;
/** RFC 4254 section 5.1 */
const ADMINISTRATIVELY_PROHIBITED = 1;
/** For a session: as many as MaxSessions allows are open. */
const CONNECT_FAILED = 2;
const SESSION_TRIES = 40;
const SESSION_PAUSE_MS = 250;

/**
 * Logs in to a server.
 *
 * @throws UnreachableError, HostKeyError, AuthenticationError
 */
export async function connectSsh(target: ServerAddress, options: SshOptions = {}): Promise<Connection> {
  const began = Date.now();
  throwIfInterrupted(options.signal);
  const identities = await findIdentities({
    user: target.adminUser,
    identityFile: target.identityFile,
    baseDirectory: options.identityBaseDirectory,
  });
  const timeoutMs = options.connectTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  const socket = await connectTcp({
    server: target.name,
    address: target.address,
    port: target.port,
    timeoutMs,
    signal: options.signal,
  });
  const client = await logIn(target, socket, identities, timeoutMs, options.signal);
  options.logger?.debug({ server: target.name, milliseconds: Date.now() - began }, "connected");
  return new SshConnection(target.name, client, options.logger);
}

function logIn(
  target: ServerAddress,
  socket: Socket,
  identities: Identities,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Client> {
  const pinned: PinnedKey[] = parsePinnedKeys(target.hostKeys);
  const client = new Client();
  let refusedHostKey: Buffer | undefined;
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      signal?.removeEventListener("abort", onAbort);
      client.on("error", () => undefined).destroy();
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(interrupted(signal));
    signal?.addEventListener("abort", onAbort, { once: true });
    client.once("error", (error) => fail(translateSshError(error, { target, pinned, refusedHostKey, identities })));
    client.once("close", () =>
      fail(translateSshError(new Error("closed"), { target, pinned, refusedHostKey, identities })),
    );
    client.once("ready", () => {
      signal?.removeEventListener("abort", onAbort);
      client.removeAllListeners("error").removeAllListeners("close");
      resolve(client);
    });
    client.connect({
      sock: socket,
      username: target.adminUser,
      readyTimeout: timeoutMs,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: KEEPALIVE_TRIES,
      algorithms: { serverHostKey: hostKeyAlgorithms(pinned) as Algorithms["serverHostKey"] },
      hostVerifier: (presented: Buffer) => {
        if (isPinned(pinned, presented)) return true;
        refusedHostKey = presented;
        return false;
      },
      authHandler: identities.methods as AnyAuthMethod[],
    });
  });
}

class SshConnection implements Connection {
  /** Why it is over, once it is. */
  private lost: Error | undefined;

  constructor(
    readonly name: string,
    private readonly client: Client,
    private readonly logger: Logger | undefined,
  ) {
    // Each channel that is being opened listens for the line's end; dozens may be, and that is no leak.
    client.setMaxListeners(0);
    client.on("error", (error) => this.lose(error));
    client.on("close", () => this.lose(new Error("it was closed")));
  }

  async run(command: HostCommand): Promise<RunningCommand> {
    const channel = await this.openSession(command);
    let code: number | null = null;
    channel.on("exit", (exitCode: number | null) => (code = exitCode));
    const ended = new Promise<{ code: number | null }>((resolve) => {
      channel.on("close", () => resolve({ code }));
    });
    return { stdin: channel, stdout: channel, stderr: channel.stderr, ended, kill: () => channel.close() };
  }

  async openIncus(): Promise<Duplex> {
    const command = await this.run(INCUS_BRIDGE_COMMAND);
    return new CommandStream(command, (end) => this.lost ?? explainBridgeEnd(this.name, end));
  }

  async dial(address: string, port: number): Promise<Duplex> {
    return this.open<Duplex>(
      (done) => this.client.forwardOut("127.0.0.1", 0, address, port, done),
      `${address}:${port}`,
    );
  }

  async close(): Promise<void> {
    this.client.removeAllListeners("error").on("error", () => undefined);
    this.lost ??= new UnreachableError(`the connection to ${this.name} is closed`, { server: this.name });
    this.client.end();
  }

  /** sshd counts a session until its processes are gone, on a busy server a while after we have heard of its end. */
  private async openSession(command: HostCommand): Promise<ClientChannel> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.open<ClientChannel>((done) => this.client.exec(command, done), command);
      } catch (error) {
        const { reason } = (error as Error & { cause?: { reason?: number } }).cause ?? {};
        if (reason !== CONNECT_FAILED || attempt === SESSION_TRIES) throw error;
        await sleep(SESSION_PAUSE_MS);
      }
    }
  }

  private open<T>(begin: (done: (error: Error | undefined, channel: T) => void) => void, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.lost !== undefined) return reject(this.lost);
      // ssh2 calls nobody back when the line breaks before the server answered.
      const onClose = (): void => reject(this.lost ?? new Error("closed"));
      this.client.once("close", onClose);
      try {
        begin((error, channel) => {
          this.client.off("close", onClose);
          if (error === undefined || error === null) resolve(channel);
          else reject(this.lost ?? this.refused(what, error));
        });
      } catch (error) {
        this.client.off("close", onClose);
        reject(this.lost ?? this.refused(what, error as Error));
      }
    });
  }

  private refused(what: string, cause: Error): Error {
    const { reason } = cause as Error & { reason?: number };
    const kind = reason === ADMINISTRATIVELY_PROHIBITED ? ForwardingForbiddenError : OperationError;
    return new kind(`${this.name} opens no channel for ${what}: ${cause.message}`, { server: this.name, cause });
  }

  private lose(cause: Error): void {
    if (this.lost !== undefined) return;
    this.logger?.debug({ server: this.name, reason: cause.message }, "connection lost");
    this.lost = new UnreachableError(`the connection to ${this.name} broke: ${cause.message}`, {
      server: this.name,
      cause,
      remedy: "Run the command again; it goes on where it stopped.",
    });
  }
}
