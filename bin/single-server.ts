import type { Container } from "../ops/containers/container";
import { getContainer, listContainers, openServer } from "../ops";
import type { OpenOptions, Server } from "../ops";
import { ContainariumError, NotFoundError } from "../ops/errors";
import type { ServerAddress } from "../ops/fleet/inventory";
import type { ServerSet } from "./services";

/** One server that no stack speaks of (`--host`, `--local`), behind the same interface as a fleet. */
export class SingleServer implements ServerSet {
  readonly #target: ServerAddress | { local: true; name: string };
  readonly #options: OpenOptions;
  #opened: Promise<Server> | undefined;
  readonly all = false;

  constructor(target: ServerAddress | { local: true; name: string }, options: OpenOptions) {
    this.#target = target;
    this.#options = options;
  }

  server(name = this.#target.name): Promise<Server> {
    if (name !== this.#target.name) {
      return Promise.reject(new NotFoundError(`no server ${name}: only ${this.#target.name} was named`));
    }
    return (this.#opened ??= openServer(this.#target, this.#options));
  }

  async find(user: string): Promise<{ server: Server; container: Container } | undefined> {
    const server = await this.server();
    try {
      return { server, container: await getContainer(server, user) };
    } catch (error) {
      if (error instanceof ContainariumError && error.kind === "not-found") return undefined;
      throw error;
    }
  }

  /** The others are not known here. They ask by themselves, every few seconds. */
  announce(): Promise<Map<string, Error>> {
    return Promise.resolve(new Map<string, Error>());
  }

  place(): Promise<Server> {
    return this.server();
  }

  async list(): Promise<{ containers: Container[]; failures: Map<string, Error> }> {
    const { results, failures } = await this.onEach((server) => listContainers(server));
    return { containers: results.flat(), failures };
  }

  async onEach<T>(work: (server: Server) => Promise<T>): Promise<{ results: T[]; failures: Map<string, Error> }> {
    try {
      return { results: [await work(await this.server())], failures: new Map() };
    } catch (error) {
      return { results: [], failures: new Map([[this.#target.name, error as Error]]) };
    }
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.close();
  }
}
