import type { IncusClient, RequestOptions } from "./client";
import type { Snapshot } from "./types";

/** A whole disk may have to be copied, where the storage cannot share blocks. */
const TIMEOUT_MS = 600_000;

export interface NewSnapshot {
  name: string;
  /** ISO 8601: Incus deletes it then. */
  expires_at?: string;
}

/** `/1.0/instances/<name>/snapshots` */
export class Snapshots {
  constructor(
    private readonly client: IncusClient,
    private readonly instancePath: string,
  ) {}

  /** @throws NotFoundError when there is no such instance */
  async list(options?: RequestOptions): Promise<Snapshot[]> {
    return this.client.get<Snapshot[]>(`${this.instancePath}/snapshots?recursion=1`, options);
  }

  /** @throws ConflictError when the name is taken */
  async create(snapshot: NewSnapshot, options?: RequestOptions): Promise<void> {
    const request = { stateful: false, ...snapshot };
    await this.client.post(`${this.instancePath}/snapshots`, request, { timeoutMs: TIMEOUT_MS, ...options });
  }

  /** Disk, config and devices become those of the snapshot. The instance should be stopped. @throws NotFoundError */
  async restore(name: string, options?: RequestOptions): Promise<void> {
    await this.client.put(this.instancePath, { restore: name }, { timeoutMs: TIMEOUT_MS, ...options });
  }

  /** @throws NotFoundError */
  async delete(name: string, options?: RequestOptions): Promise<void> {
    const path = `${this.instancePath}/snapshots/${encodeURIComponent(name)}`;
    await this.client.delete(path, { timeoutMs: TIMEOUT_MS, ...options });
  }
}
