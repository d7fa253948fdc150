import { Duplex } from "node:stream";
import type { RunningCommand } from "./connection";

/** What a command's end means: an error, or undefined when it may end like that. */
export type Explain = (end: { code: number | null; stderr: string }) => Error | undefined;

const MAXIMUM_STDERR = 4096;

/**
 * A running command as one stream: writing is its standard input, reading its standard output.
 *
 * Its end is held back until the exit code is known, so that a command that failed is an error with a reason and not
 * just a line that went quiet.
 */
export class CommandStream extends Duplex {
  private stderr = "";

  constructor(
    private readonly command: RunningCommand,
    explain: Explain,
  ) {
    super({ allowHalfOpen: true });
    command.stdout.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) command.stdout.pause();
    });
    command.stderr.on("data", (chunk: Buffer) => {
      this.stderr = (this.stderr + chunk.toString("utf8")).slice(0, MAXIMUM_STDERR);
    });
    // A pipe that breaks says only that; the end of the command says why.
    for (const stream of [command.stdout, command.stdin, command.stderr]) stream.on("error", () => undefined);
    void command.ended.then(({ code }) => {
      if (this.destroyed) return;
      const error = explain({ code, stderr: this.stderr.trim() });
      if (error === undefined) this.push(null);
      else this.destroy(error);
    });
  }

  override _read(): void {
    this.command.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.command.stdin.write(chunk, (error) => {
      if (error === undefined || error === null) done();
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.command.stdin.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.command.kill();
    done(error);
  }
}
