import type { Duplex, Readable, Writable } from "node:stream";
import { OperationError } from "../errors";
import type { HostCommand } from "./commands";

/** The server's sshd does not let this account open TCP connections. */
export class ForwardingForbiddenError extends OperationError {}

/** A command that runs on the server. */
export interface RunningCommand {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** Resolves once it has ended and all its output was delivered; `code` is null when a signal or a broken line ended it. */
  ended: Promise<{ code: number | null }>;
  /** Ends it at once. */
  kill(): void;
}

/** A way to one server: over SSH, or this machine itself. */
export interface Connection {
  /** Name of the server. */
  readonly name: string;
  run(command: HostCommand): Promise<RunningCommand>;
  /** A stream to the Incus API. */
  openIncus(): Promise<Duplex>;
  /** A TCP connection that begins on the server. @throws ForwardingForbiddenError */
  dial(address: string, port: number): Promise<Duplex>;
  close(): Promise<void>;
}
