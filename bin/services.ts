/* eslint-disable @typescript-eslint/no-require-imports --
   The one place that loads what is heavy (ssh2, undici, the engine's SDK), and only when a command needs it. */
import type { ContainerSpec, Container, CreateStep } from "../ops/containers/container";
import type { Inventory, ServerAddress } from "../ops/fleet/inventory";
import type { Stack, StackOptions } from "./stack/stack";

export type Ops = typeof import("../ops");
export type OpenOptions = import("../ops").OpenOptions;
export type Server = import("../ops").Server;
export type Backup = import("../ops").Backup;
export type Restored = import("../ops").Restored;
export type Drill = import("../ops").Drill;
export type KeyChange = import("../ops").KeyChange;
export type AuditEvent = import("../ops").AuditEvent;
export type Session = import("../ops").Session;
export type ServerBan = import("../ops").ServerBan;
export type ServerHealth = import("../ops").ServerHealth;

/** What commands ask of servers; each is the library's function of that name. */
const work = [
  "addKeys",
  "removeKeys",
  "replaceKeys",
  "startContainer",
  "stopContainer",
  "restartContainer",
  "setAutostart",
  "resizeContainer",
  "inspectContainer",
  "createSnapshot",
  "listSnapshots",
  "restoreSnapshot",
  "deleteSnapshot",
  "scheduleSnapshots",
  "backupContainer",
  "restoreContainer",
  "readAudit",
  "listSessions",
  "listBans",
  "addBan",
  "removeBan",
  "banHistory",
  "checkServer",
  "examineFleet",
  "verifyAccess",
  "listImages",
  "bakeImage",
  "listRecords",
  "drillPreemption",
  "moveContainer",
] as const;
type Work = Pick<Ops, (typeof work)[number]>;

/** Several servers as one, or one server as if it were several. */
export interface ServerSet {
  server(name: string): Promise<Server>;
  find(user: string): Promise<{ server: Server; container: Container } | undefined>;
  /** Whether all servers of a fleet were asked when `find` finds nobody. */
  readonly all: boolean;
  /** Has all servers but one, where something has changed, hear of it; those that do not answer, by name. */
  announce(from: string | undefined): Promise<Map<string, Error>>;
  place(spec: ContainerSpec): Promise<Server>;
  list(): Promise<{ containers: Container[]; failures: Map<string, Error> }>;
  /** The same on every server; one that fails does not keep the others from theirs. */
  onEach<T>(work: (server: Server) => Promise<T>): Promise<{ results: T[]; failures: Map<string, Error> }>;
  close(): Promise<void> | void;
}

export interface CreateOptions {
  ifExists?: "adopt" | "fail";
  ifElsewhere?: "refuse" | "ignore";
  onStep?: (step: CreateStep) => void;
  createdBy?: string;
  signal?: AbortSignal;
}

/** What commands do outside of this process. Tests put fakes here; nothing else is faked. */
export interface Services extends Work {
  openFleet(inventory: Inventory, options: OpenOptions): ServerSet;
  /** One server without a stack; `local` is this machine. */
  openSingle(target: ServerAddress | { local: true; name: string }, options: OpenOptions): ServerSet;
  createContainer(server: Server, spec: ContainerSpec, options: CreateOptions): Promise<Container>;
  deleteContainer(server: Server, user: string): Promise<{ deleted: boolean; copyOn?: string }>;
  openStack(options: StackOptions): Promise<Stack>;
}

/** The library, loaded at the first call. */
export function loadOps(): Ops {
  return require("../ops") as Ops;
}

/** The library's functions, without loading it before one is called. */
function lazily<K extends keyof Ops>(names: readonly K[]): Pick<Ops, K> {
  const entries = names.map((name) => {
    return [name, (...args: unknown[]) => (loadOps()[name] as (...args: unknown[]) => unknown)(...args)];
  });
  return Object.fromEntries(entries) as Pick<Ops, K>;
}

export const realServices: Services = {
  ...lazily(work),
  openFleet: (inventory, options) => {
    const { FleetServers } = require("./fleet-servers") as typeof import("./fleet-servers");
    return new FleetServers(inventory, options);
  },
  openSingle: (target, options) => {
    const { SingleServer } = require("./single-server") as typeof import("./single-server");
    return new SingleServer(target, options);
  },
  createContainer: (server, spec, options) => loadOps().createContainer(server, spec, options),
  deleteContainer: (server, user) => loadOps().deleteContainer(server, user),
  openStack: (options) => (require("./stack/stack") as typeof import("./stack/stack")).openStack(options),
};
