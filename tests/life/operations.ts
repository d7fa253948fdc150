import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, readFileSync } from "node:fs";
import { Readable } from "node:stream";

import * as ops from "../../ops";
import type { BAD_INPUTS } from "./draw";
import type { Operation, World } from "./model";
import type { Site } from "./site";

const GRACE_SECONDS = 20;
const ARCHIVE = "life.tar.gz";

/** Does it with the library, over the one connection. */
export async function perform(site: Site, world: World, operation: Operation): Promise<void> {
  const { server } = site;
  const { user } = operation;
  switch (operation.kind) {
    case "create": {
      const { key, kind: _kind, ...spec } = operation;
      const onStep = ({ index, total }: ops.CreateStep) => site.reached(`[${index}/${total}]`);
      const sshKeys = [site.publicKey(user, key)];
      await ops.createContainer(server, { ...spec, docker: false, sshKeys }, { onStep });
      return;
    }
    case "delete":
      await ops.deleteContainer(server, user);
      return;
    case "keys add":
      await ops.addKeys(server, user, [keyOf(site, operation)]);
      return;
    case "keys remove":
      await ops.removeKeys(server, user, [{ key: keyOf(site, operation) }]);
      return;
    case "keys replace":
      await ops.replaceKeys(server, user, [keyOf(site, operation)]);
      return;
    case "resize": {
      const { cpu, memory, diskQuota } = operation;
      await ops.resizeContainer(server, user, { cpu, memory, diskQuota });
      return;
    }
    case "start":
      await ops.startContainer(server, user);
      return;
    case "stop":
      await ops.stopContainer(server, user, { graceSeconds: GRACE_SECONDS });
      return;
    case "restart":
      await ops.restartContainer(server, user, { graceSeconds: GRACE_SECONDS });
      return;
    case "autostart":
      await ops.setAutostart(server, user, operation.on);
      return;
    case "write":
      return write(site, world, operation);
    case "snapshot create":
      await ops.createSnapshot(server, user, operation.name);
      return;
    case "snapshot restore":
      await ops.restoreSnapshot(server, user, operation.name);
      return;
    case "snapshot delete":
      await ops.deleteSnapshot(server, user, operation.name);
      return;
    case "backup":
      await ops.backupContainer(server, user, createWriteStream(site.file(ARCHIVE)));
      return;
    case "restore": {
      const sshKeys = [site.publicKey(user, operation.key)];
      await ops.restoreContainer(server, user, createReadStream(site.file(ARCHIVE)), { sshKeys });
      return;
    }
    case "bad input":
      return refused(site, operation.user, operation.which as (typeof BAD_INPUTS)[number]);
  }
}

/** The same as a command line of `containarium-ops`. */
export function commandLine(site: Site, operation: Operation): string[] {
  const { kind, user } = operation;
  const words = kind.split(" ");
  const key = (option: string) => ["key" in operation ? option : [], "key" in operation ? keyFile(site, operation) : []].flat(); // prettier-ignore
  switch (kind) {
    case "create": {
      const { cpu, memory, diskQuota, autostart } = operation;
      const size = ["--cpu", String(cpu), "--memory", memory, "--disk-quota", diskQuota];
      return [...words, user, ...key("--ssh-key"), ...size, "--no-docker", ...(autostart ? [] : ["--no-autostart"])];
    }
    case "delete":
      return [...words, user, "--force"];
    case "keys add":
    case "keys replace":
      return [...words, user, ...key("--ssh-key")];
    case "keys remove":
      return [...words, user, ...key("--key")];
    case "resize": {
      const { cpu, memory, diskQuota } = operation;
      return [...words, user, "--cpu", String(cpu), "--memory", memory, "--disk-quota", diskQuota];
    }
    case "start":
      return [...words, user];
    case "stop":
    case "restart":
      return [...words, user, "--grace", String(GRACE_SECONDS)];
    case "autostart":
      return [...words, user, operation.on ? "on" : "off"];
    case "snapshot create":
      return [...words, user, "--name", operation.name];
    case "snapshot restore":
    case "snapshot delete":
      return [...words, user, operation.name, "--force"];
    case "restore":
      return [...words, user, ARCHIVE, ...key("--ssh-key")];
    case "backup":
    case "write":
    case "bad input":
      throw new Error(`${kind} is not tried by command line`);
  }
}

/** What Incus was asked by a run that was killed, it still does: who runs it again is told so, and it is over in a moment. */
export function isBeingDone(error: unknown): boolean {
  return error instanceof ops.ContainariumError && error.kind === "conflict" && /at this moment/.test(error.message);
}

/** Running it again was refused because the run before had come to its end: that is as good. */
export function wasDoneBefore({ kind }: Operation, error: unknown): boolean {
  const reason = error instanceof ops.ContainariumError ? error.kind : undefined;
  if (isBeingDone(error)) return false;
  if (reason === "conflict") return kind === "create" || kind === "restore" || kind === "snapshot create";
  return reason === "not-found" && (kind === "keys remove" || kind === "snapshot delete");
}

function keyFile(site: Site, { user, key }: { user: string; key: number }): string {
  return `${site.keyFile(user, key)}.pub`;
}

function keyOf(site: Site, { user, key }: { user: string; key: number }): ops.PublicKey {
  return ops.parsePublicKey(site.publicKey(user, key), "a key of the test");
}

/** A line in a file of the person's, by the person, and an answer when it is on the disk. */
async function write(site: Site, world: World, { user, note }: { user: string; note: string }): Promise<void> {
  const command = `echo ${note} >> notes && sync notes && echo acknowledged`;
  const { stdout, stderr } = await site.ssh(user, world.people[user]!.keys.at(-1)!, [`${user}-dev`, command]);
  if (stdout !== "acknowledged\n") throw new Error(`${user} could not write: ${stderr}`);
}

/** What must be refused, and as what. */
async function refused(site: Site, user: string, which: (typeof BAD_INPUTS)[number]): Promise<void> {
  const { server } = site;
  const key = site.publicKey(user, 0);
  const nobody = "life-nobody";
  const create = (spec: Partial<ops.ContainerSpec>) => ops.createContainer(server, { user: nobody, sshKeys: [key], ...spec }); // prettier-ignore
  const tries: Record<typeof which, [kind: ops.ErrorKind, () => Promise<unknown>]> = {
    "an impossible name": ["invalid", () => create({ user: "zz;id" })],
    "a reserved name": ["invalid", () => create({ user: "root" })],
    "a private key": ["invalid", () => create({ sshKeys: [readFileSync(site.keyFile(user, 0), "utf8")] })],
    "somebody who exists": ["conflict", () => create({ user })],
    "memory that is no size": ["invalid", () => ops.resizeContainer(server, user, { memory: "banana" })],
    "a disk larger than the pool": ["invalid", () => ops.resizeContainer(server, user, { diskQuota: "900TB" })],
    "a disk smaller than what is used": ["invalid", () => ops.resizeContainer(server, user, { diskQuota: "100MB" })],
    "the last key": ["invalid", () => removeAll(server, user)],
    "a snapshot that is not there": ["not-found", () => ops.restoreSnapshot(server, user, "never")],
    "a snapshot's impossible name": ["invalid", () => ops.createSnapshot(server, user, "../never")],
    "somebody who does not exist": ["not-found", () => ops.startContainer(server, nobody)],
    "text for a backup": ["invalid", () => ops.restoreContainer(server, nobody, Readable.from([randomBytes(2000)]))],
  };
  const [kind, attempt] = tries[which];
  const outcome = await attempt().then(
    () => "done",
    (error: unknown) => (error instanceof ops.ContainariumError ? error.kind : String(error)),
  );
  if (outcome !== kind) throw new Error(`${which}: ${outcome}, not ${kind}`);
}

async function removeAll(server: ops.Server, user: string): Promise<unknown> {
  const record = (await ops.listRecords(server)).find((one) => one.user === user)!;
  const keys = record.keys.map((line) => ops.parsePublicKey(line, "a recorded key"));
  return ops.removeKeys(server, user, keys.map((key) => ({ key }))); // prettier-ignore
}
