import { InvalidInputError } from "../../ops/errors";

/** Shared by the commands that change a stack. */
export const lockTimeoutOption = {
  type: "string",
  requiresArg: true,
  default: "60",
  describe: "seconds to wait while another operation holds the stack",
} as const;

/** In milliseconds. */
export function lockTimeout(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0 && value <= 86_400) return value * 1000;
  throw new InvalidInputError(`--lock-timeout ${JSON.stringify(text)} is not a number of seconds`, {
    remedy: "For example --lock-timeout 120; 0 does not wait.",
  });
}
