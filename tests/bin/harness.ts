import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";

import { main } from "../../bin/main";
import { realServices } from "../../bin/services";
import type { ServerSet, Server, Services } from "../../bin/services";
import type { DesiredContainer } from "../../bin/stack/config-text";
import type { Stack } from "../../bin/stack/stack";
import type { Container, ContainerDetails, ContainerSpec } from "../../ops/containers/container";
import { ConflictError, NotFoundError, OperationError, UnreachableError } from "../../ops/errors";
import type { Inventory } from "../../ops/fleet/inventory";
import { parsePublicKey, summarizeKey } from "../../ops/keys/public-key";

/** Keys that were made for these tests. */
export const keys = {
  alice: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIES82DjK5w5PuoGzGqQZgOSMr2U5z+U2w8Z1zcCIapev alice@laptop",
  bob: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAZzIQd4bFR00BMY7hp2ivmmn2a8NggGaWDZ0Z1uzm9i bob@laptop",
  host: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPDA3I/v2FzAhW2SbqySvtiZZyk1oKbaQBggqerO9nqf",
};

export function containerOf(user: string, changes: Partial<Container> = {}): Container {
  return {
    user,
    name: `${user}-container`,
    server: "jump-1",
    status: "running",
    ip: "10.0.3.10",
    image: "debian/13",
    cpu: 4,
    memory: "4GiB",
    diskQuota: "20GB",
    processes: 4096,
    autostart: true,
    docker: true,
    keys: [summarizeKey(parsePublicKey(user === "bob" ? keys.bob : keys.alice, user))],
    hostKeys: [keys.host],
    createdAt: "2026-11-20T10:00:00.000Z",
    ...changes,
  };
}

/** With what it uses, as `info` shows it. */
export function detailsOf(container: Container): ContainerDetails {
  return {
    ...container,
    usage: { diskBytes: 1_234_567_890, memoryBytes: 345_678_901, cpuSeconds: 12.5, processes: 21 },
    startedAt: "2026-11-24T10:00:00.000Z",
    snapshots: [{ name: "before-exam", createdAt: "2026-11-24T12:00:00.000Z", expiresAt: "2026-12-24T12:00:00.000Z" }],
    lastLogin: "2026-11-24T11:00:00.000Z",
  };
}

export function inventoryOf(...names: string[]): Inventory {
  return {
    schema: 1,
    stack: "local",
    servers: names.map((name, index) => ({
      name,
      address: `192.0.2.${index + 1}`,
      port: 22,
      adminUser: "admin",
      hostKeys: [keys.host],
      containerSubnet: `10.0.${index + 3}.0/24`,
    })),
    defaults: { image: "debian/13", cpu: 4, memory: "4GiB", diskQuota: "20GB" },
  };
}

/**
 * Servers and a stack in memory. What goes wrong is chosen by the input: a user called `unlucky` cannot be made, a
 * server in `down` does not answer.
 */
export class World {
  servers = ["jump-1"];
  balancer: Inventory["balancer"];
  down = new Set<string>();
  containers: Container[] = [];
  desired: DesiredContainer[] = [];
  /** Thrown by the next wait for the stack's lock. */
  locked: Error | undefined;
  /** Thrown by every recording, before the config is edited, or (`recordsBeforeError`) after. */
  recordError: Error | undefined;
  recordsBeforeError = false;
  /** Called when something is being recorded. */
  onRecord: (() => void) | undefined;
  /** Called when a container is being made. */
  onCreate: (() => void) | undefined;
  /** What each create was told of people who live elsewhere. */
  elsewhere: (string | undefined)[] = [];
  /** Everything that was asked of the outside, in order. */
  calls: string[] = [];

  readonly services: Services = {
    ...realServices,
    openFleet: (inventory) =>
      this.serverSet(
        inventory.servers.map(({ name }) => name),
        true,
      ),
    openSingle: (target) => {
      this.calls.push(`connect ${target.name}`);
      return this.serverSet([target.name], false);
    },
    createContainer: async (server, spec, { ifElsewhere, ifExists, onStep, signal }) => {
      this.elsewhere.push(ifElsewhere);
      this.calls.push(`create ${spec.user} on ${server.name} (${ifExists})`);
      this.onCreate?.();
      signal?.throwIfAborted();
      if (spec.user === "unlucky") {
        throw new OperationError("the pool is full", { server: server.name, remedy: "Raise dataDiskSizeGb." });
      }
      const names = ["instance", "image", "user", "keys", "start", "account", "ssh"] as const;
      const titles = ["Checked", "Created", "Started", "Let in", "Set up", "Waited", "SSH answers"];
      names.forEach((name, index) => {
        const [title = "", detail] = [titles[index], `detail ${index + 1}`];
        onStep?.({ name, index: index + 1, total: titles.length, title, detail, milliseconds: 100 });
      });
      return this.put(spec, server.name);
    },
    deleteContainer: async (server, user) => {
      this.calls.push(`delete ${user} on ${server.name}`);
      const before = this.containers.length;
      this.containers = this.containers.filter((container) => container.user !== user);
      return { deleted: this.containers.length < before };
    },
    inspectContainer: async (_server, user) => detailsOf(this.containers.find((one) => one.user === user)!),
    openStack: async ({ stack = "local" }) => this.stack(stack),
  };

  private put(spec: ContainerSpec, server: string): Container {
    const { user, sshKeys, cpu = 4, memory = "4GiB", diskQuota = "20GB", autostart = true, docker = true } = spec;
    const summaries = sshKeys.map((line) => summarizeKey(parsePublicKey(line, user)));
    const container = containerOf(user, { cpu, memory, diskQuota, autostart, docker, server, keys: summaries });
    this.containers = [...this.containers.filter((other) => other.user !== user), container];
    return container;
  }

  private serverSet(names: string[], all: boolean): ServerSet {
    const server = async (name: string): Promise<Server> => {
      if (!names.includes(name)) throw new NotFoundError(`no server ${name}`);
      if (this.down.has(name)) throw new UnreachableError("connection timed out after 10s", { server: name });
      return { name } as Server;
    };
    return {
      server,
      find: async (user) => {
        this.calls.push(`find ${user}`);
        const container = this.containers.find((one) => one.user === user);
        return container && { server: await server(container.server), container };
      },
      all,
      announce: async (from) => {
        this.calls.push(`announce ${from ?? "all"}`);
        const silent = names.filter((name) => name !== from && this.down.has(name));
        return new Map(silent.map((name) => [name, new UnreachableError("connection timed out after 10s")]));
      },
      place: () => server(names[0] ?? ""),
      list: async () => {
        const failures = new Map<string, Error>();
        for (const name of names) await server(name).catch((error: Error) => failures.set(name, error));
        return { containers: this.containers.filter((one) => !this.down.has(one.server)), failures };
      },
      onEach: async (work) => {
        const settled = await Promise.allSettled(names.map(async (name) => work(await server(name))));
        const failures = new Map<string, Error>();
        settled.forEach((one, index) => one.status === "rejected" && failures.set(names[index]!, one.reason as Error));
        return { results: settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])), failures };
      },
      close: () => void this.calls.push("close"),
    };
  }

  private stack(name: string): Stack {
    if (name === "nope") throw new NotFoundError("no stack named nope");
    const stack: Stack = {
      name,
      root: "/project",
      inventory: { ...inventoryOf(...this.servers), balancer: this.balancer },
      updateCommand: `npm run pulumi -- up --stack ${name}`,
      waitUntilUnlocked: async () => {
        if (this.locked) throw this.locked;
      },
      desired: async () => this.desired,
      record: async ({ put = [], edit = [], remove = [] }) => {
        this.onRecord?.();
        if (this.recordError && !this.recordsBeforeError) throw this.recordError;
        for (const { user, apply } of edit) {
          this.calls.push(`record change of ${user}`);
          this.desired = this.desired.map((entry) => (entry.user === user ? apply(entry) : entry));
        }
        for (const { user, server } of put) this.calls.push(`record ${user} on ${server}`);
        for (const user of remove) this.calls.push(`forget ${user}`);
        const gone = new Set([...remove, ...put.map(({ user }) => user)]);
        this.desired = [...this.desired.filter(({ user }) => !gone.has(user)), ...put];
        if (this.recordError) throw this.recordError;
      },
      recordAhead: async (change, timeoutMs) => ({
        finish: async () => {
          await stack.record(change, timeoutMs);
          return 7;
        },
        abandon: async () => void this.calls.push(`abandon ${change.put.map(({ user }) => user).join(", ")}`),
      }),
    };
    return stack;
  }
}

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  stdin?: string | Buffer;
  /** Answers typed at a terminal, one a line; present: there is a terminal. */
  typed?: string;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
  home?: string;
}

/** A folder with key files as people have them, and as they should not be given. */
export function folderOfKeys(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-cli-"));
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "x", "-f", path.join(folder, "id_ed25519")]);
  const files = {
    "alice.pub": keys.alice,
    "bob.pub": keys.bob,
    "unlucky.pub": keys.bob,
    "empty.pub": "\n",
    "garbage.pub": "hello",
    "cut.pub": keys.alice.slice(0, 50),
    "options.pub": `command="rm -rf /" ${keys.alice}`,
    "newline.pub": `${keys.alice}\nssh-ed25519 not-a-key`,
  };
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  return folder;
}

/** Runs a real command line in this process, against `world`. */
export async function run(
  argv: string[],
  world: { services: Services },
  cwd: string,
  options: RunOptions = {},
): Promise<Outcome> {
  const output = { stdout: "", stderr: "" };
  const terminal = options.typed !== undefined;
  const code = await main(
    argv,
    {
      stdout: { write: (text) => (output.stdout += text) },
      stderr: { write: (text) => (output.stderr += text), isTTY: terminal },
      stdin: Object.assign(Readable.from([options.typed ?? options.stdin ?? ""]), { isTTY: terminal }),
      env: { USER: "teacher", ...options.env },
      cwd,
      home: options.home ?? cwd,
      signal: options.signal ?? new AbortController().signal,
    },
    world.services,
  );
  return { code, ...output };
}

/** Times differ from run to run. */
export function steady(text: string): string {
  return text.replace(/\d+\.\d+s/g, "0.0s").replace(/ +(?=0\.0s$)/gm, "  ");
}

export const lockedStack = new ConflictError("stack local is locked by root@host, process 42", {
  remedy: "If nothing runs there any more,\nnpm run pulumi -- cancel --stack local",
});
