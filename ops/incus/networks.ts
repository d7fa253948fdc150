import type { IncusClient, RequestOptions } from "./client";
import type { Network, NewNetwork, Tagged } from "./types";

/** `/1.0/networks` */
export class Networks {
  constructor(private readonly client: IncusClient) {}

  async list(options?: RequestOptions): Promise<Network[]> {
    return this.client.get<Network[]>("/1.0/networks?recursion=1", options);
  }

  /** @throws NotFoundError */
  async get(name: string, options?: RequestOptions): Promise<Tagged<Network>> {
    return this.client.getTagged<Network>(path(name), options);
  }

  async create(network: NewNetwork, options?: RequestOptions): Promise<void> {
    await this.client.post("/1.0/networks", { type: "bridge", ...network }, options);
  }

  /** Merges into its config. */
  async patch(name: string, change: Partial<Pick<Network, "config">>, options?: RequestOptions): Promise<void> {
    await this.client.patch(path(name), change, options);
  }

  /** @throws NotFoundError */
  async delete(name: string, options?: RequestOptions): Promise<void> {
    await this.client.delete(path(name), options);
  }
}

function path(name: string): string {
  return `/1.0/networks/${encodeURIComponent(name)}`;
}
