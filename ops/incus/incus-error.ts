import { ConflictError, NotFoundError, OperationError, UnreachableError, type ErrorDetails } from "../errors";

/** Incus refused or failed what was asked; `status` is the code that it gave (400, 403, 500...). */
export class IncusError extends OperationError {
  readonly status: number;
  constructor(message: string, status: number, details?: ErrorDetails) {
    super(message, details);
    this.status = status;
  }
}

/** The thing changed since it was read (HTTP 412): read it again and decide again. */
export class ChangedSinceReadError extends ConflictError {}

/** Another operation holds the instance, or it is just ending and has no state; it will be free in a moment. */
export class InstanceBusyError extends IncusError {}

/** The server answers, its Incus does not. */
export class IncusUnavailableError extends UnreachableError {
  constructor(server: string | undefined, reason: string, cause?: unknown) {
    super(`Incus does not answer on ${server ?? "this machine"}: ${reason}`, {
      server,
      cause,
      remedy: "Look at it on the server:\n  sudo systemctl status incus containarium-startup",
    });
  }
}

/** From the code and text of an error answer, or of a failed operation, to one of our errors. */
export function incusError(code: number, text: string, request: string, server?: string): Error {
  const message = `Incus: ${text.trim() === "" ? `${request} failed with code ${code}` : oneLine(text)}`;
  if (code === 404) return new NotFoundError(message, { server });
  if (code === 412) return new ChangedSinceReadError(message, { server });
  if (/Instance is busy running|^Invalid PID/.test(text)) return new InstanceBusyError(message, code, { server });
  // A taken name is told by the failed operation, in the words of the database (6.0.4).
  if (code === 409 || /already exists|UNIQUE constraint failed: instances\.project_id/.test(text)) {
    return new ConflictError(message, { server });
  }
  return new IncusError(message, code, { server });
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, "; ");
}
