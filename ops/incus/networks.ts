import type { IncusClient, RequestOptions } from "./client";
import type { Network, Tagged } from "./types";

/** `/1.0/networks` */
export class Networks {
  constructor(private readonly client: IncusClient) {}

  /** @throws NotFoundError */
  async get(name: string, options?: RequestOptions): Promise<Tagged<Network>> {
    return this.client.getTagged<Network>(`/1.0/networks/${encodeURIComponent(name)}`, options);
  }
}
