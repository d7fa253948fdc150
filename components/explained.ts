import * as pulumi from "@pulumi/pulumi";

import { ContainariumError } from "../ops/errors";

type Methods = Record<string, (...parameters: never[]) => Promise<unknown>>;

/**
 * The engine shows a provider's error by its `message` alone: what was left behind and what to do next must be in it.
 */
export function explained<T extends Methods>(provider: T): T {
  const wrapped = Object.entries(provider).map(([name, method]) => {
    const call = (...parameters: never[]) =>
      method(...parameters).catch((error: unknown) => {
        if (error instanceof ContainariumError) {
          error.message = explain(error);
          // The provider process prints the stack, and it would stand in the middle of what `pulumi up` shows.
          error.stack = error.message;
        }
        throw error;
      });
    return [name, call];
  });
  return Object.fromEntries(wrapped) as T;
}

/** Runs a part of a Pulumi program: an expected error is shown without a stack trace. */
export function explainedRun<T>(part: () => T): T {
  try {
    return part();
  } catch (error) {
    throw error instanceof ContainariumError ? new pulumi.RunError(explain(error)) : error;
  }
}

function explain({ message, server, leftBehind, remedy }: ContainariumError): string {
  const where = server !== undefined && !message.includes(server) ? `${server}: ` : "";
  const left = leftBehind === undefined ? "" : `\n  Left behind: ${leftBehind}`;
  const next = remedy === undefined ? "" : `\n  ${remedy.replaceAll("\n", "\n  ")}`;
  return `${where}${message}${left}${next}`;
}
