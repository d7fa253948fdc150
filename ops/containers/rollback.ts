import { ContainariumError, NotFoundError } from "../errors";
import type { Server } from "../host/server";
import { KEY } from "./instance-config";
import { removeInstance } from "./remove-instance";
import type { ResolvedSpec } from "./spec";

/** What this run made, so far as it knows: only that is taken back. */
export interface Made {
  /** Set before the request, since an answer may be lost on the way. */
  instance: boolean;
  /** `maybe`: asked for, not yet answered. */
  account: boolean | "maybe";
}

/** Runs the procedure; when it fails, removes what it made and throws the error with what is left. */
export async function withRollback<T>(
  server: Server,
  spec: ResolvedSpec,
  run: string,
  procedure: (made: Made) => Promise<T>,
): Promise<T> {
  const made: Made = { instance: false, account: false };
  try {
    return await procedure(made);
  } catch (error) {
    const leftBehind = await takeBack(server, spec, run, made);
    server.logger?.debug({ server: server.name, user: spec.user, leftBehind }, "create failed, taken back");
    throw explained(error, server, spec, leftBehind);
  }
}

/** @returns what could not be removed; empty when all is as before. Never throws, and takes no signal: it must end. */
async function takeBack(server: Server, spec: ResolvedSpec, run: string, made: Made): Promise<string[]> {
  const left: string[] = [];
  let current: { config: Record<string, string> } | undefined;
  try {
    current = (await server.incus.instances.get(spec.name)).value;
  } catch (error) {
    if (!(error instanceof NotFoundError)) {
      if (made.account !== false) left.push(`perhaps the jump account ${spec.user}`);
      return made.instance ? [...left, `perhaps ${spec.name}`] : left;
    }
  }
  // A later run took it over: it is theirs now, the account too.
  if (current !== undefined && current.config[KEY.run] !== run) return [];
  // An account that was there before the instance belonged to nobody living; one that was asked for without an answer
  // can only be ours if the instance is.
  if (made.account === true || (made.account === "maybe" && made.instance)) {
    await removeOwnAccount(server, spec.user).catch(() => left.push(`the jump account ${spec.user}`));
  }
  if (current === undefined) return left;
  if (!made.instance) return [...left, `${spec.name}, half-made as before`];
  try {
    await removeInstance(server, spec.name);
  } catch {
    left.push(spec.name);
  }
  return left;
}

/** An account that turned out to be foreign was not made by us. */
async function removeOwnAccount(server: Server, user: string): Promise<void> {
  const { state } = await server.helper({ op: "account.check", user });
  if (state === "ours") await server.helper({ op: "account.remove", user });
}

/** The same error, so that its class stays, with what is left. */
function explained(error: unknown, server: Server, spec: ResolvedSpec, left: readonly string[]): unknown {
  if (left.length === 0 || !(error instanceof ContainariumError)) return error;
  const again = `Run the same command again to complete it, or remove it:\n  containarium-ops delete ${spec.user}`;
  const remedy = [error.remedy, again].filter((text) => text !== undefined).join("\n");
  return Object.assign(error, { server: error.server ?? server.name, leftBehind: left.join(" and "), remedy });
}
