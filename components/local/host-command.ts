import { execFile } from "node:child_process";

import { OperationError } from "../../ops/errors";

/**
 * Runs a program on this host as root: directly, or by `sudo -n` for anybody else.
 * @throws OperationError whose message ends with what the program said last.
 */
export function runOnHost(command: string[], input?: string): Promise<string> {
  const [program = "", ...rest] = process.getuid?.() === 0 ? command : ["sudo", "-n", ...command];
  return new Promise((resolve, reject) => {
    const child = execFile(program, rest, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = stderr.trim().split("\n").slice(-5).join("\n") || error.message;
      reject(
        new OperationError(`${command[0]}: ${said}`, {
          cause: error,
          remedy: said.includes("a password is required")
            ? "Run  sudo -v  first, then the same command again."
            : undefined,
        }),
      );
    });
    child.stdin?.end(input);
  });
}
