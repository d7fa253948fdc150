import { KEY } from "../containers/instance-config";
import { readHostKey } from "../containers/guest-files";
import { readRecord, type ContainerRecord } from "../containers/record";
import { removeInstance } from "../containers/remove-instance";
import { openWayIn } from "../containers/way-in";
import { ConflictError, NotFoundError, OperationError } from "../errors";
import type { Server } from "../host/server";
import { sshTimeoutSeconds } from "../host/ssh-timeout";
import type { Instance } from "../incus/types";
import { parsePublicKey } from "../keys/public-key";
import { homeConfig } from "./configs";
import { dropBase, dropMark } from "./copy";
import { renderMark, type MoveMark } from "./mark";

/*
 * No signal in here: from the moment in which the source lets go to the one in which SSH answers on the target nobody can
 * work, and there is nothing to gain by stopping in between. Killed all the same, the next run goes on at the same place.
 */

/** The copy starts, and nobody can reach it: the old place is better. */
export class SilentCopyError extends OperationError {}

/** Says on the source where it is going; another run that says so later takes over. */
export async function writeMark(source: Server, name: string, mark: MoveMark): Promise<void> {
  await source.incus.instances.modify(name, () => ({ config: { [KEY.move]: renderMark(mark) } }));
}

/** The one moment in which its home changes: all is there, and nothing starts here any more. */
export async function letGo(source: Server, name: string, run: string): Promise<void> {
  await source.incus.instances.modify(name, ({ config, status }) => {
    if (readMarkRun(config[KEY.move]) !== run) throw takenOver(name, source.name);
    // What it writes from now on would be lost.
    if (status !== "Stopped") throw new ConflictError(`somebody started ${name} meanwhile`, { server: source.name });
    return { config: { [KEY.state]: "leaving", "boot.autostart": "false" } };
  });
}

/** The source is home again: the copy is gone, or was never used. */
export async function comeBack(source: Server, name: string): Promise<void> {
  await source.incus.instances.modify(name, (instance) => {
    const record = readRecord(instance);
    if (record === undefined || (record.state !== "leaving" && record.move === undefined)) return undefined;
    const leaving = record.state === "leaving" && {
      [KEY.state]: "ready",
      "boot.autostart": String(record.move?.autostart ?? true),
    };
    return { config: { ...leaving, [KEY.move]: "" } };
  });
}

/**
 * Makes the copy the home: same config, same keys, an account that leads to it, and SSH answers there.
 *
 * @param left what the source says, which has let go
 */
export async function arrive(target: Server, left: Instance, from: string): Promise<ContainerRecord> {
  const { name } = left;
  const { value: copy } = await target.incus.instances.get(name);
  const size = left.devices["root"]?.["size"];
  await target.incus.instances.modify(name, ({ devices }) => ({
    config: homeConfig(left, from),
    ...(devices["root"] !== undefined && size !== undefined && { devices: { root: { ...devices["root"], size } } }),
  }));
  const record = readRecord({ ...copy, config: { ...copy.config, ...homeConfig(left, from) } })!;
  const keys = record.keys.map((line) => parsePublicKey(line, "a recorded key"));
  await openWayIn(target, record, keys);
  // In a fleet that lets everybody through everywhere, sessions through here led to the old place.
  if (keys.length > 0) await target.helper({ op: "account.endSessions", user: record.user });
  await target.incus.instances.start(name);
  await verify(target, record);
  if (record.move?.wasRunning === false) await stopAgain(target, name);
  await target.incus.instances.modify(name, () => ({
    config: {
      [KEY.state]: "ready",
      [KEY.move]: "",
      [KEY.run]: "",
      "boot.autostart": String(record.move?.autostart ?? true),
    },
  }));
  return record;
}

/** The person's own way ends at this container, with the host key that it always had. */
async function verify(target: Server, { user, name, address, keys, hostKeys }: ContainerRecord): Promise<void> {
  if (keys.length > 0) {
    const request = { op: "path.verify" as const, user, target: address, timeoutSeconds: sshTimeoutSeconds() };
    await target.helper(request).catch((error: unknown) => {
      if (!(error instanceof OperationError)) throw error;
      throw new SilentCopyError(error.message, { server: target.name, cause: error });
    });
  }
  const hostKey = await readHostKey(target.incus, name);
  if (hostKeys.length === 0 || hostKeys.includes(hostKey)) return;
  throw new OperationError(`the copy of ${name} has another host key than it had`, { server: target.name });
}

async function stopAgain(target: Server, name: string): Promise<void> {
  await target.incus.instances.stop(name).catch(() => target.incus.instances.stop(name, { force: true }));
}

/** Removes what is left at the old place: only of a container that has let go. */
export async function clearSource(source: Server, user: string, name: string): Promise<void> {
  try {
    const { value } = await source.incus.instances.get(name);
    const record = readRecord(value);
    if (record?.user === user && record.state === "leaving") {
      await source.helper({ op: "account.remove", user });
      await removeInstance(source, name);
    }
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}

/** The last step: nothing of it is anywhere else. */
export async function settle(target: Server, name: string): Promise<void> {
  await dropBase(target, name);
  await dropMark(target, name);
  await target.incus.instances.modify(name, ({ config }) => {
    return (config[KEY.movedFrom] ?? "") === "" ? undefined : { config: { [KEY.movedFrom]: "" } };
  });
}

function readMarkRun(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : (JSON.parse(text) as MoveMark).run;
}

function takenOver(name: string, server: string): ConflictError {
  return new ConflictError(`somebody else is moving ${name} at this moment`, { server });
}
