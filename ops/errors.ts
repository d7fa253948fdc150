/**
 * One family of errors for everything that can be expected to go wrong.
 *
 * Each says what happened (`message`, one line), on which server, what was left behind and what to do next. The
 * program that shows an error decides the exit code from `kind` alone (see bin/output/error.ts); `ops` never exits.
 */

/** The causes a caller can tell apart. The comment is the exit code of `containarium-ops`. */
export type ErrorKind =
  | "failed" // 1
  | "invalid" // 2: wrong usage or bad input, nothing was changed
  | "not-found" // 3
  | "conflict" // 4: exists already, or somebody else holds it
  | "authentication" // 5: authentication or host key
  | "unreachable" // 6
  | "timeout" // 7
  | "partial" // 8: some of several failed
  | "interrupted"; // 130

export interface ErrorDetails {
  /** The server on which it happened. */
  server?: string;
  /** What exists now that did not before, if anything; one line. */
  leftBehind?: string;
  /** What to do next; one line or several. A command in it stands on a line of its own. */
  remedy?: string;
  cause?: unknown;
}

export class ContainariumError extends Error {
  readonly kind: ErrorKind;
  readonly server?: string;
  readonly leftBehind?: string;
  readonly remedy?: string;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.kind = kind;
    this.server = details.server;
    this.leftBehind = details.leftBehind;
    this.remedy = details.remedy;
  }
}

/** The caller asked for something that cannot be right. Nothing was changed. */
export class InvalidInputError extends ContainariumError {
  constructor(message: string, details?: ErrorDetails) {
    super("invalid", message, details);
  }
}

/** No such user, container, snapshot or server. */
export class NotFoundError extends ContainariumError {
  constructor(message: string, details?: ErrorDetails) {
    super("not-found", message, details);
  }
}

/** It exists already, is not ours, or somebody else holds the lock. */
export class ConflictError extends ContainariumError {
  constructor(message: string, details?: ErrorDetails) {
    super("conflict", message, details);
  }
}

/** The server refused our key. */
export class AuthenticationError extends ContainariumError {
  constructor(message: string, details?: ErrorDetails) {
    super("authentication", message, details);
  }
}

/** The server shows another host key than the pinned one. Both fingerprints are in the message. */
export class HostKeyError extends ContainariumError {
  readonly expected: readonly string[];
  readonly presented: string;
  constructor(message: string, keys: { expected: readonly string[]; presented: string }, details?: ErrorDetails) {
    super("authentication", message, details);
    this.expected = keys.expected;
    this.presented = keys.presented;
  }
}

/** No connection to the server, or it broke. */
export class UnreachableError extends ContainariumError {
  constructor(message: string, details?: ErrorDetails) {
    super("unreachable", message, details);
  }
}

/** A condition was waited for with a limit, and the limit passed. */
export class TimeoutError extends ContainariumError {
  constructor(message: string, details?: ErrorDetails) {
    super("timeout", message, details);
  }
}

/** Some of several things failed; `failures` has one error each, by name. */
export class PartialFailureError extends ContainariumError {
  readonly failures: ReadonlyMap<string, Error>;
  constructor(message: string, failures: ReadonlyMap<string, Error>, details?: ErrorDetails) {
    super("partial", message, details);
    this.failures = failures;
  }
}

/** The server did what we asked and it failed there (Incus, the host helper). */
export class OperationError extends ContainariumError {
  constructor(message: string, details?: ErrorDetails) {
    super("failed", message, details);
  }
}
