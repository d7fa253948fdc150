import type { Readable } from "node:stream";
import type { IncusClient, RequestOptions } from "./client";
import { BACKUP_TIMEOUT_MS, Backups } from "./backups";
import { InstanceFiles } from "./instance-files";
import { Snapshots } from "./snapshots";
import { ConflictError, NotFoundError } from "../errors";
import { ChangedSinceReadError, IncusError, InstanceBusyError } from "./incus-error";
import { isWorkOn, untilCleanedUp, untilIdle, whenFree, type Patience } from "./instance-waits";
import type {
  Config,
  Instance,
  InstanceChange,
  InstanceFull,
  InstanceState,
  NewInstance,
  OperationData,
  StateChange,
  Tagged,
} from "./types";

/** Whether it ran when Incus last looked: `RUNNING`, or `STOPPED` once Incus knows of its end. */
export const LAST_POWER = "volatile.last_state.power";

export interface Import {
  name: string;
  pool: string;
  archive: Readable;
  /** How long the archive is, if known. */
  bytes?: number;
}

export interface StopOptions extends RequestOptions {
  force?: boolean;
  /** How long its programs have to end by themselves; then the stop fails. */
  graceSeconds?: number;
}

/** `/1.0/instances`. Changes return when they are done. */
export class Instances {
  constructor(private readonly client: IncusClient) {}

  /** All of them, with config and devices but without their state: one request. */
  async list(options?: RequestOptions): Promise<Instance[]> {
    return this.readable(await this.client.get<Instance[]>("/1.0/instances?recursion=1", options), options);
  }

  /** All of them with state and snapshots: one request, but Incus looks into each. */
  async listFull(options?: RequestOptions): Promise<InstanceFull[]> {
    return this.readable(await this.client.get<InstanceFull[]>("/1.0/instances?recursion=2", options), options);
  }

  /**
   * Of an instance into which Incus cannot look, as when it has just been killed at work on it, a list has the name only
   * (6.0.4). Without its config nobody would know whose it is: asked for by itself, it says so, or why not.
   */
  private async readable<T extends Instance>(listed: readonly T[], options?: RequestOptions): Promise<T[]> {
    const found = listed.map(async (one): Promise<T[]> => {
      if ((one.config as Config | null) !== null) return [one];
      try {
        return [{ ...one, ...(await this.get(one.name, options)).value }];
      } catch (error) {
        if (error instanceof NotFoundError) return [];
        throw error;
      }
    });
    return (await Promise.all(found)).flat();
  }

  /** @throws NotFoundError */
  async get(name: string, options?: RequestOptions): Promise<Tagged<Instance>> {
    return this.client.getTagged<Instance>(path(name), options);
  }

  /** @throws NotFoundError */
  async getFull(name: string, options?: RequestOptions): Promise<InstanceFull> {
    return whenFree(this.patience(name, options), () =>
      this.client.get<InstanceFull>(`${path(name)}?recursion=1`, options),
    );
  }

  /** @throws ConflictError when the name is taken */
  async create(instance: NewInstance, options?: RequestOptions): Promise<void> {
    try {
      await this.client.post("/1.0/instances", instance, options);
    } catch (error) {
      // Somebody else's of that name is being made at this moment.
      if (error instanceof InstanceBusyError)
        throw new ConflictError(error.message, { server: error.server, cause: error });
      throw error;
    }
  }

  /** Replaces config and devices as a whole. */
  async update(name: string, change: InstanceChange, options?: RequestOptions): Promise<void> {
    await whenFree(this.patience(name, options), () => this.client.put(path(name), change, options));
  }

  /** Merges into config and devices; what is not named stays. A whole device is replaced, not its single options. */
  async patch(name: string, change: InstanceChange, options?: RequestOptions): Promise<void> {
    await whenFree(this.patience(name, options), () => this.client.patch(path(name), change, options));
  }

  /**
   * Reads it, lets `decide` say what to change, and changes exactly that version; again when somebody else was faster.
   *
   * @returns what was read last
   */
  async modify(
    name: string,
    decide: (instance: Instance) => InstanceChange | undefined,
    options?: RequestOptions,
  ): Promise<Instance> {
    for (let attempt = 1; ; attempt++) {
      const { value, etag } = await this.get(name, options);
      const change = decide(value);
      if (change === undefined) return value;
      try {
        await this.patch(name, change, { ...options, etag });
        return value;
      } catch (error) {
        if (!(error instanceof ChangedSinceReadError) || attempt === 5) throw error;
      }
    }
  }

  async state(name: string, options?: RequestOptions): Promise<InstanceState> {
    return whenFree(this.patience(name, options), () => this.client.get<InstanceState>(`${path(name)}/state`, options));
  }

  async setState(name: string, change: StateChange, options?: RequestOptions): Promise<void> {
    await whenFree(this.patience(name, options), () => this.client.put(`${path(name)}/state`, change, options));
  }

  /** Starts it. Fine when it runs already. */
  async start(name: string, options?: RequestOptions): Promise<void> {
    await this.setState(name, { action: "start" }, options).catch((error: unknown) => {
      if (!isAbout(/already running/i, error)) throw error;
    });
  }

  /** Stops it; by force means at once. Fine when it is stopped already. */
  async stop(name: string, { force = false, graceSeconds = 30, ...options }: StopOptions = {}): Promise<void> {
    const timeoutMs = options.timeoutMs ?? (graceSeconds + 60) * 1000;
    const change: StateChange = { action: "stop", force, timeout: graceSeconds };
    try {
      await this.setState(name, change, { ...options, timeoutMs });
    } catch (error) {
      // The second: it came to its stop between Incus' look and its try (6.0.4).
      if (!isAbout(/already stopped|container is not running/i, error)) throw error;
      await this.cleanedUp(name, options);
    }
  }

  /**
   * Waits until Incus has cleaned up behind one whose processes have ended; fine when it runs. Incus calls it stopped half a
   * second before it begins with that, where it was not Incus that stopped it (6.0.4). What is begun in between it refuses
   * ("In use"), and from what is started in between it then takes the network.
   */
  async cleanedUp(name: string, options?: RequestOptions): Promise<void> {
    const isCleanedUp = async () => {
      const { value } = await this.get(name, options);
      if (value.status === "Stopped") return value.config[LAST_POWER] !== "RUNNING";
      // While it cleans up, Incus says that it runs.
      return (await this.state(name, options)).pid > 0;
    };
    await untilCleanedUp(this.patience(name, options), isCleanedUp);
  }

  /** Waits until no operation works on it any more: what a run that was killed had asked for, Incus brings to its end. */
  async untilIdle(name: string, options?: RequestOptions): Promise<void> {
    const isIdle = async () => {
      type ByStatus = Record<string, OperationData[]> | null;
      const operations = Object.values((await this.client.get<ByStatus>("/1.0/operations?recursion=1", options)) ?? {});
      return !operations.flat().some((operation) => isWorkOn(path(name), operation));
    };
    await untilIdle(this.patience(name, options), isIdle);
  }

  /** Removes a stopped instance. @throws NotFoundError */
  async delete(name: string, options?: RequestOptions): Promise<void> {
    await whenFree(this.patience(name, options), () => this.client.delete(path(name), options));
  }

  /**
   * Runs a program inside, as root, and waits for it. What it prints is not kept.
   *
   * @returns its exit code: Incus calls it a success whatever the program did
   * @throws IncusError with status 400 when it is not running, or has no such program
   */
  async exec(name: string, command: readonly string[], options?: RequestOptions): Promise<number> {
    return (await this.execute(name, command, false, options)).return;
  }

  /** As exec; also what it printed on standard output. For little text: Incus keeps it in a file until it was read. */
  async execOutput(
    name: string,
    command: readonly string[],
    options?: RequestOptions,
  ): Promise<{ code: number; stdout: string }> {
    const { return: code, output = {} } = await this.execute(name, command, true, options);
    try {
      const { body } = await this.client.transport.raw({ ...options, method: "GET", path: output["1"] ?? "" });
      return { code, stdout: body.toString("utf8") };
    } finally {
      for (const file of Object.values(output)) await this.client.delete(file).catch(() => undefined);
    }
  }

  private execute(name: string, command: readonly string[], record: boolean, options?: RequestOptions) {
    const request = {
      command,
      environment: { LC_ALL: "C.UTF-8" },
      interactive: false,
      "wait-for-websocket": false,
      "record-output": record,
    };
    return this.client.post<{ return: number; output?: Record<string, string> }>(
      `${path(name)}/exec`,
      request,
      options,
    );
  }

  /**
   * Makes one from an archive, stopped. Its config is that of the archive, but for the name.
   *
   * @throws ConflictError when the name is taken
   */
  async import({ name, pool, archive, bytes }: Import, options?: RequestOptions): Promise<void> {
    await this.client.post("/1.0/instances", undefined, {
      timeoutMs: BACKUP_TIMEOUT_MS,
      ...options,
      body: archive,
      headers: {
        "content-type": "application/octet-stream",
        ...(bytes !== undefined && { "content-length": String(bytes) }),
        "x-incus-name": name,
        "x-incus-pool": pool,
      },
    });
  }

  backups(name: string): Backups {
    return new Backups(this.client, path(name));
  }

  snapshots(name: string): Snapshots {
    return new Snapshots(this.client, path(name));
  }

  private patience(name: string, options?: RequestOptions): Patience {
    return { name, server: this.client.transport.server, signal: options?.signal };
  }

  /** The files inside one instance, running or not. */
  files(name: string): InstanceFiles {
    return new InstanceFiles(this.client, name);
  }
}

function path(name: string): string {
  return `/1.0/instances/${encodeURIComponent(name)}`;
}

function isAbout(message: RegExp, error: unknown): boolean {
  return error instanceof IncusError && message.test(error.message);
}
