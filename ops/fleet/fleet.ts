import pLimit from "p-limit";
import type { Container, ContainerSpec } from "../containers/container";
import { getContainer } from "../containers/get";
import { listContainers } from "../containers/list";
import { readRecord } from "../containers/record";
import { NotFoundError, PartialFailureError } from "../errors";
import { openServer, type OpenOptions, type Server } from "../host/server";
import type { Inventory, InventoryServer } from "./inventory";
import { choosePlace } from "./placement";

const SERVERS_AT_ONCE = 8;
/** For so long a server that could not be reached counts as silent where nobody depends on it. */
const SILENCE_MS = 30_000;

/** A container and the server that it lives on. */
export interface Found {
  server: Server;
  container: Container;
}

/** The servers of one stack. Connects to each when it is needed first, and once; close it when done. */
export class Fleet {
  readonly servers: readonly InventoryServer[];
  private readonly open = new Map<string, Promise<Server>>();
  private readonly limit = pLimit(SERVERS_AT_ONCE);
  private readonly unreachable = new Map<string, { error: Error; at: number }>();
  /** One placement at a time, each counting those before it: people who are not there yet. */
  private readonly placing = pLimit(1);
  private readonly placed = new Map<string, string>();

  constructor(
    readonly inventory: Inventory,
    private readonly options: OpenOptions = {},
  ) {
    this.servers = inventory.servers;
  }

  /** @throws NotFoundError for a name that the inventory does not have; else as openServer */
  server(name: string): Promise<Server> {
    const address = this.servers.find((candidate) => candidate.name === name);
    if (address === undefined) {
      const names = this.servers.map((server) => server.name).join(", ");
      return Promise.reject(
        new NotFoundError(`stack ${this.inventory.stack} has no server ${name}`, { remedy: `It has: ${names}` }),
      );
    }
    const known = this.open.get(name);
    if (known !== undefined) return known;
    const opening = openServer(address, this.options);
    this.open.set(name, opening);
    // A failure is not kept: the next call tries again.
    opening.then(
      () => this.unreachable.delete(name),
      (error: Error) => {
        this.open.delete(name);
        this.unreachable.set(name, { error, at: Date.now() });
      },
    );
    return opening;
  }

  /** Why a server could not be reached a moment ago, if that was so. */
  lastFailure(name: string): Error | undefined {
    const failure = this.unreachable.get(name);
    return failure !== undefined && Date.now() - failure.at < SILENCE_MS ? failure.error : undefined;
  }

  /**
   * Looks for a user on all servers.
   *
   * @returns undefined when no server has this user
   * @throws PartialFailureError when some servers could not be asked and none of the others has the user
   */
  async find(user: string): Promise<Found | undefined> {
    const { results, failures } = await this.onEach(async (server): Promise<Found | undefined> => {
      try {
        return { server, container: await getContainer(server, user) };
      } catch (error) {
        if (error instanceof NotFoundError) return undefined;
        throw error;
      }
    });
    const everywhere = results.filter((result) => result !== undefined);
    // Somebody who moves is on two servers for a moment.
    const found = everywhere.find(({ container }) => container.status !== "moving") ?? everywhere[0];
    if (found === undefined && failures.size > 0) throw this.failure(`cannot tell where ${user} is`, failures);
    return found;
  }

  /**
   * Chooses a server for a new container: the one that has the user already, else the one with the fewest containers,
   * among equals the one with most free memory. Servers that cannot be reached are left out.
   *
   * @throws the error of the only server, or PartialFailureError, when none can be reached
   */
  place(spec: Pick<ContainerSpec, "user">): Promise<Server> {
    return this.placing(async () => {
      const server = await this.choose(spec);
      this.placed.set(spec.user, server.name);
      return server;
    });
  }

  private async choose(spec: Pick<ContainerSpec, "user">): Promise<Server> {
    const { results, failures } = await this.onEach(async (server) => {
      const [instances, status] = await Promise.all([
        server.incus.instances.list(),
        server.helper({ op: "server.status" }),
      ]);
      const users = instances.flatMap((instance) => readRecord(instance)?.user ?? []);
      return {
        server: server.name,
        connection: server,
        containers: new Set([...users, ...this.promisedTo(server.name)]).size,
        availableBytes: status.memory.availableBytes,
        hasUser: users.includes(spec.user),
      };
    });
    const home = results.find(({ hasUser }) => hasUser);
    const chosen = home ?? choosePlace(results);
    if (chosen === undefined) throw this.failure("no server can take a container", failures);
    return chosen.connection;
  }

  private promisedTo(server: string): string[] {
    return [...this.placed].flatMap(([user, name]) => (name === server ? [user] : []));
  }

  /** All containers of all servers that answer, by server and user, and the errors of those that do not. */
  async list(): Promise<{ containers: Container[]; failures: Map<string, Error> }> {
    const { results, failures } = await this.onEach((server) => listContainers(server));
    return { containers: onceEach(results.flat()), failures };
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled([...this.open.values()]);
    this.open.clear();
    for (const result of opened) if (result.status === "fulfilled") await result.value.close();
  }

  /** Does the same on every server, several at a time; one that fails does not keep the others from theirs. */
  async onEach<T>(work: (server: Server) => Promise<T>): Promise<{ results: T[]; failures: Map<string, Error> }> {
    const failures = new Map<string, Error>();
    const results: T[] = [];
    const settled = await Promise.allSettled(
      this.servers.map(({ name }) => this.limit(async () => work(await this.server(name)))),
    );
    settled.forEach((result, index) => {
      if (result.status === "fulfilled") results.push(result.value);
      else failures.set(this.servers[index]!.name, result.reason as Error);
    });
    return { results, failures };
  }

  private failure(message: string, failures: Map<string, Error>): Error {
    const only = failures.size === 1 && this.servers.length === 1 ? [...failures.values()][0] : undefined;
    if (only !== undefined) return only;
    const names = [...failures.keys()].join(", ");
    return new PartialFailureError(`${message}: no answer from ${names}`, failures);
  }
}

/** Whoever moves is on two servers for a moment, and lives where it is not on its way. PURE. */
function onceEach(containers: readonly Container[]): Container[] {
  return containers.filter((one, index) => {
    const others = containers.filter(({ user }) => user === one.user);
    if (one.status !== "moving" || others.length === 1) return true;
    return others.every(({ status }) => status === "moving") && containers.indexOf(others[0]!) === index;
  });
}
