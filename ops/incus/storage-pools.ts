import type { IncusClient, RequestOptions } from "./client";
import type { NewStoragePool, PoolResources, StoragePool, Tagged } from "./types";

/** `/1.0/storage-pools` */
export class StoragePools {
  constructor(private readonly client: IncusClient) {}

  async list(options?: RequestOptions): Promise<StoragePool[]> {
    return this.client.get<StoragePool[]>("/1.0/storage-pools?recursion=1", options);
  }

  /** @throws NotFoundError */
  async get(name: string, options?: RequestOptions): Promise<Tagged<StoragePool>> {
    return this.client.getTagged<StoragePool>(path(name), options);
  }

  /** Bytes used and there in all. */
  async resources(name: string, options?: RequestOptions): Promise<PoolResources> {
    return this.client.get<PoolResources>(`${path(name)}/resources`, options);
  }

  async create(pool: NewStoragePool, options?: RequestOptions): Promise<void> {
    await this.client.post("/1.0/storage-pools", pool, options);
  }

  /** @throws NotFoundError */
  async delete(name: string, options?: RequestOptions): Promise<void> {
    await this.client.delete(path(name), options);
  }
}

function path(name: string): string {
  return `/1.0/storage-pools/${encodeURIComponent(name)}`;
}
