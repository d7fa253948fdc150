import { AuthenticationError, UnreachableError } from "../errors";
import type { ServerAddress } from "../fleet/inventory";
import { hostKeyError, type PinnedKey } from "./host-keys";
import type { Identities } from "./identity";

/** What is known when a login fails. */
export interface LoginAttempt {
  target: ServerAddress;
  pinned: readonly PinnedKey[];
  /** The host key that was shown and is not pinned. */
  refusedHostKey: Buffer | undefined;
  identities: Identities;
}

/** From ssh2's errors during a login to ours. ssh2 tells them apart by `level` and by words. */
export function translateSshError(error: Error & { level?: string }, attempt: LoginAttempt): Error {
  const { target, pinned, refusedHostKey } = attempt;
  const { name: server } = target;
  if (refusedHostKey !== undefined || /no matching host key/i.test(error.message)) {
    return hostKeyError(server, pinned, refusedHostKey);
  }
  if (
    error.level === "client-authentication" ||
    error.level === "agent" ||
    /too many authentication/i.test(error.message)
  ) {
    return refusedLogin(attempt, error);
  }
  const reason =
    error.level === "client-timeout"
      ? "its sshd did not answer in time"
      : /before handshake|closed|ECONNRESET/i.test(error.message)
        ? "its sshd closed the connection before the login"
        : error.message;
  return new UnreachableError(`cannot log in to ${server} (${target.address} port ${target.port}): ${reason}`, {
    server,
    cause: error,
    remedy: "The server may be starting, or it has banned this address for a while. Try again in a minute.",
  });
}

function refusedLogin({ target, identities }: LoginAttempt, cause: Error): AuthenticationError {
  const { name: server, adminUser } = target;
  const encrypted =
    identities.encrypted.length === 0 ? "" : `; not tried, it has a passphrase: ${identities.encrypted.join(", ")}`;
  return new AuthenticationError(
    `${server} refuses the login of ${adminUser} with ${identities.names.join(", ")}${encrypted}`,
    { server, cause, remedy: "Use the key of the server's administrator, as the stack's inventory names it." },
  );
}
