import { connect, type Socket } from "node:net";
import { UnreachableError } from "../errors";
import { interrupted } from "../wait";

export interface TcpTarget {
  /** Name of the server, for messages. */
  server: string;
  address: string;
  port: number;
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * A TCP connection without Nagle's algorithm: ssh2 never sets TCP_NODELAY by itself and then pays 40 ms per round trip.
 *
 * @throws UnreachableError
 */
export function connectTcp(target: TcpTarget): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.address, port: target.port });
    const timer = setTimeout(() => fail(unreachable(target, "ETIMEDOUT")), target.timeoutMs);
    const onAbort = (): void => fail(interrupted(target.signal));
    const onError = (error: NodeJS.ErrnoException): void => fail(unreachable(target, error.code ?? "", error));
    const settle = (): void => {
      clearTimeout(timer);
      target.signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
    };
    const fail = (error: Error): void => {
      settle();
      socket.on("error", () => undefined).destroy();
      reject(error);
    };
    target.signal?.addEventListener("abort", onAbort, { once: true });
    socket.on("error", onError);
    socket.once("connect", () => {
      settle();
      socket.setNoDelay(true);
      resolve(socket);
    });
    if (target.signal?.aborted === true) onAbort();
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to it",
  ENETUNREACH: "no route to its network",
  ETIMEDOUT: "no answer",
  ENOTFOUND: "its name is not known",
  EAI_AGAIN: "its name could not be looked up",
  ECONNRESET: "connection reset",
};

function unreachable(target: TcpTarget, code: string, cause?: NodeJS.ErrnoException): UnreachableError {
  const { server, address, port, timeoutMs } = target;
  const where = server === address ? `${address} port ${port}` : `${server} (${address} port ${port})`;
  const timedOut = code === "ETIMEDOUT" ? ` within ${timeoutMs / 1000}s` : "";
  const reason = `${REASONS[code] ?? cause?.message ?? code}${timedOut}`;
  return new UnreachableError(`cannot reach ${where}: ${reason}`, { server, cause, remedy: remedyFor(code) });
}

function remedyFor(code: string): string {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return "Check the address, and that this machine can look up names.";
  if (code === "ECONNREFUSED")
    return "The server may be starting, or its sshd listens on another port. Try again in a minute.";
  return "Check that the server runs and that its firewall lets this machine in.";
}
