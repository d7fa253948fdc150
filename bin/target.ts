import path from "node:path";
import type { Logger } from "pino";

import { InvalidInputError, NotFoundError } from "../ops/errors";
import type { Balancer, Inventory, ServerAddress } from "../ops/fleet/inventory";
import type { Io } from "./io";
import type { Progress } from "./output/progress";
import type { ServerSet, Services } from "./services";
import { hostKeysOf, knownHostsFiles } from "./ssh/known-hosts";
import { findProjectRoot } from "./stack/project";
import type { Stack } from "./stack/stack";
import { flagsOf, localName } from "./target-flags";
import type { TargetOptions } from "./target-flags";

/** Where a command acts: a stack's servers, or one server without a stack. */
export interface Target {
  /** For people: `stack prod`, `203.0.113.5`, `this machine`. */
  label: string;
  /** The options that mean the same target in the next command; begins with a space unless empty. */
  flags: string;
  /** The servers' addresses; empty for this machine, which does not know how it is reached. */
  addresses: ServerAddress[];
  /** Where any of the servers answers, when the stack has such an address. */
  balancer?: Balancer;
  /** Absent without a stack: the server's own defaults hold. */
  defaults?: Inventory["defaults"];
  stack?: Stack;
  servers: ServerSet;
}

export interface TargetContext {
  io: Io;
  services: Services;
  progress: Progress;
  /** Present with `--verbose`. */
  logger?: Logger;
}

/** Nothing is contacted yet but the engine, for a stack's inventory. The caller closes `servers`. */
export async function openTarget(options: TargetOptions, context: TargetContext): Promise<Target> {
  if (options.local) return openLocal(context);
  if (options.host !== undefined) return openHost(options.host, options, context);
  return openStackTarget(options, context);
}

async function openStackTarget(
  options: TargetOptions,
  { io, logger, services, progress }: TargetContext,
): Promise<Target> {
  progress.doing("Reading the stack's outputs...");
  const stack = await services.openStack({
    stack: options.stack,
    cwd: io.cwd,
    env: io.env,
    home: io.home,
    signal: io.signal,
    onWait: (text) => progress.note(text),
  });
  progress.clear();
  if (stack.inventory.servers.length === 0) {
    throw new NotFoundError(`stack ${stack.name} has no servers`, { remedy: stack.updateCommand });
  }
  const identityFile = options.identity === undefined ? undefined : path.resolve(io.cwd, options.identity);
  const addresses = stack.inventory.servers.map((server) => (identityFile ? { ...server, identityFile } : server));
  return {
    label: `stack ${stack.name}`,
    flags: flagsOf(options),
    addresses,
    balancer: stack.inventory.balancer,
    defaults: stack.inventory.defaults,
    stack,
    servers: services.openFleet(
      { ...stack.inventory, servers: addresses },
      { identityBaseDirectory: stack.root, signal: io.signal, logger },
    ),
  };
}

function openHost(host: string, options: TargetOptions, { io, logger, services }: TargetContext): Target {
  const { user, address, port } = parseHost(host);
  const given = options.knownHosts === undefined ? undefined : path.resolve(io.cwd, options.knownHosts);
  const target: ServerAddress = {
    name: address,
    address,
    port,
    adminUser: user,
    hostKeys: hostKeysOf(address, port, knownHostsFiles(io.home, findProjectRoot(io.cwd)), given),
    identityFile: options.identity === undefined ? undefined : path.resolve(io.cwd, options.identity),
  };
  return {
    label: address,
    flags: flagsOf(options),
    addresses: [target],
    servers: services.openSingle(target, { identityBaseDirectory: io.cwd, signal: io.signal, logger }),
  };
}

function openLocal({ io, logger, services }: TargetContext): Target {
  return {
    label: "this machine",
    flags: flagsOf({ local: true }),
    addresses: [],
    servers: services.openSingle({ local: true, name: localName }, { signal: io.signal, logger }),
  };
}

/** `user@address[:port]`; an IPv6 address with a port stands in brackets. */
export function parseHost(text: string): { user: string; address: string; port: number } {
  const match = /^([a-z_][a-z0-9_.-]*)@(?:\[([0-9a-f:.]+)\]|([^\s:@[\]]+)|([0-9a-f:.]+))(?::(\d{1,5}))?$/i.exec(text);
  // Without brackets every colon belongs to the IPv6 address.
  const [, user, bracketed, name, bare, digits] = match ?? [];
  const address = bracketed ?? name ?? bare;
  const port = digits === undefined ? 22 : Number(digits);
  if (!user || !address || address.startsWith("-") || port < 1 || port > 65535) {
    throw new InvalidInputError(`--host ${text} is not user@address[:port]`, {
      remedy: "For example --host admin@203.0.113.5 or --host admin@[2001:db8::5]:2222",
    });
  }
  return { user, address, port };
}
