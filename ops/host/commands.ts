/**
 * All that is ever run on a server. Constants, so that no user's input can become part of a shell command line; what
 * varies goes over their standard input.
 */

/** The root-owned helper: numbered requests in JSON, a line each, and their answers. */
export const HELPER_COMMAND = "sudo -n /usr/local/sbin/containarium-host serve";

/** A bridge to the REST API of Incus, as `docker system dial-stdio` is one. */
export const INCUS_BRIDGE_COMMAND = "sudo -n nc -U /var/lib/incus/unix.socket";

export type HostCommand = typeof HELPER_COMMAND | typeof INCUS_BRIDGE_COMMAND;
