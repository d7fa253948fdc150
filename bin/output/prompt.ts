import readline from "node:readline";

import type { Io } from "../io";

/** Whether there is a person to ask. */
export function canAsk(io: Io): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true;
}

/**
 * Asks one question on stderr and returns the line that was typed; empty when the input ended or Ctrl-C was pressed.
 * The terminal stays as it is (no raw mode), so that Ctrl-C reaches the process like at any other moment.
 */
export async function ask(io: Io, question: string): Promise<string> {
  io.stderr.write(question);
  const lines = readline.createInterface({ input: io.stdin, terminal: false });
  const stop = () => lines.close();
  io.signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise<string>((resolve) => {
      lines.once("line", (line) => resolve(line.trim()));
      lines.once("close", () => resolve(""));
    });
  } finally {
    io.signal.removeEventListener("abort", stop);
    lines.close();
  }
}
