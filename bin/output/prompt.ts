import readline from "node:readline/promises";

import type { Io } from "../io";

/** Whether there is a person to ask. */
export function canAsk(io: Io): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true;
}

/** Asks one question on stderr and returns the line that was typed; Ctrl-C aborts through `io.signal`. */
export async function ask(io: Io, question: string): Promise<string> {
  const prompt = readline.createInterface({ input: io.stdin, output: io.stderr as NodeJS.WritableStream });
  // readline swallows Ctrl-C at a terminal; hand it to the process, where everybody else hears it.
  prompt.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return (await prompt.question(question, { signal: io.signal })).trim();
  } finally {
    prompt.close();
  }
}
