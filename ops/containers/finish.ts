import { ConflictError, OperationError } from "../errors";
import type { Server } from "../host/server";
import { sshTimeoutSeconds } from "../host/ssh-timeout";
import type { RequestOptions } from "../incus/client";
import { both } from "../wait";
import type { Container } from "./container";
import { describeContainer } from "./describe";
import { readHostKey, writeAuthorizedKeys } from "./guest-files";
import { KEY } from "./instance-config";
import { readRecord } from "./record";
import type { ResolvedSpec } from "./spec";

/**
 * The end of every making of a container: it is ready when SSH answers on the user's own way, and then says so.
 *
 * @param run the making's own mark
 * @throws ConflictError when a later run took it over
 */
export async function finish(
  server: Server,
  { spec, address, run }: { spec: ResolvedSpec; address: string; run: string },
  request: RequestOptions,
): Promise<Container> {
  let hostKey = await answers(server, spec, address, request);
  if (hostKey === undefined) {
    // What makes the account runs at every boot; it failed in this one.
    await server.incus.instances.stop(spec.name, { force: true, ...request });
    await server.incus.instances.start(spec.name, request);
    hostKey = await answers(server, spec, address, request);
    if (hostKey === undefined) {
      throw new OperationError(`${spec.name} did not make the account of ${spec.user}`, {
        server: server.name,
        remedy: `Look what it says on the server:\n  sudo incus exec ${spec.name} -- journalctl -u containarium-user`,
      });
    }
  }
  return markReady(server, spec, run, hostKey, request);
}

/**
 * The user's own way must end at this container's SSH server, and not at another's. A banner is no login: the account must
 * be there, and the keys. Missing keys are written again.
 *
 * @returns its host key; undefined where there is no account
 */
async function answers(
  server: Server,
  { user, name, keys }: ResolvedSpec,
  target: string,
  request: RequestOptions,
): Promise<string | undefined> {
  const verify = { op: "path.verify", user, target, timeoutSeconds: sshTimeoutSeconds() } as const;
  const lines = keys.map(({ line }) => line);
  const keysWritten = writeAuthorizedKeys(server.incus, name, { user, keys: lines }, request);
  const { hostKeys } = await both(server.helper(verify, request), keysWritten);
  const [hostKey, passwd] = await Promise.all([
    readHostKey(server.incus, name, request),
    server.incus.instances.files(name).get("/etc/passwd", request),
  ]);
  const shown = hostKeys.filter((key) => key.split(" ")[0] === hostKey.split(" ")[0]);
  if (shown.length > 0 && !shown.some((key) => key.split(" ").slice(0, 2).join(" ") === hostKey)) {
    throw new OperationError(`another machine answers at ${target}: its host key is not that of ${name}`, {
      server: server.name,
    });
  }
  const accounts = passwd.toString("utf8").split("\n");
  return accounts.some((line) => line.startsWith(`${user}:`)) ? hostKey : undefined;
}

/** The last change: from now on it is complete. Only if no later run took it over. */
async function markReady(
  server: Server,
  spec: ResolvedSpec,
  run: string,
  hostKey: string,
  request: RequestOptions,
): Promise<Container> {
  const change = { [KEY.state]: "ready", [KEY.hostKeys]: JSON.stringify([hostKey]), [KEY.run]: "" };
  const before = await server.incus.instances.modify(
    spec.name,
    (current) => {
      if (current.config[KEY.run] !== run) throw beingMade(server, spec);
      return { config: change };
    },
    request,
  );
  const record = readRecord({ ...before, config: { ...before.config, ...change } })!;
  return describeContainer(record, "running", server.name);
}

export function beingMade(server: Server, spec: ResolvedSpec, cause?: unknown): ConflictError {
  return new ConflictError(`somebody else is making ${spec.name} on ${server.name} at this moment`, {
    server: server.name,
    cause,
    remedy: `Look at it when they are done:\n  containarium-ops info ${spec.user}`,
  });
}
