import { connect } from "node:net";
import { AuthenticationError } from "../errors";
import { IncusUnavailableError } from "./incus-error";
import type { OpenStream } from "./transport";

/** Where Incus listens on its own machine. */
export const INCUS_SOCKET = "/var/lib/incus/unix.socket";

/** Connections to the Incus of this machine. */
export function unixSocketStream(path: string = INCUS_SOCKET): OpenStream {
  return () =>
    new Promise((resolve, reject) => {
      const socket = connect(path);
      const fail = (error: NodeJS.ErrnoException): void => reject(translate(error, path));
      socket.once("error", fail);
      socket.once("connect", () => {
        socket.off("error", fail);
        resolve(socket);
      });
    });
}

function translate(error: NodeJS.ErrnoException, path: string): Error {
  if (error.code === "EACCES" || error.code === "EPERM") {
    return new AuthenticationError(`this account may not use Incus (${path})`, {
      cause: error,
      remedy: "Run as root, or as a member of the group incus-admin.",
    });
  }
  const reason = error.code === "ENOENT" ? `there is no ${path}` : error.message;
  return new IncusUnavailableError(undefined, reason, error);
}
