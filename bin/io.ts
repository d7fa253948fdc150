import os from "node:os";

/** A stream for output; `isTTY` tells whether a person is looking at it. */
export interface OutputStream {
  write(data: string | Uint8Array): unknown;
  /** Those that can be full say so. */
  once?(event: "drain", listener: () => void): unknown;
  isTTY?: boolean;
}

/** Everything a command may know of the process it runs in. Tests hand in their own. */
export interface Io {
  stdout: OutputStream;
  stderr: OutputStream;
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  env: NodeJS.ProcessEnv;
  cwd: string;
  home: string;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

export function processIo(signal: AbortSignal): Io {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
    home: os.homedir(),
    signal,
  };
}
