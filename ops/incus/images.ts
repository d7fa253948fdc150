import type { Readable } from "node:stream";
import { NotFoundError } from "../errors";
import type { IncusClient, RequestOptions } from "./client";
import type { Image, ImageAlias } from "./types";

export interface ImageImport {
  /** A unified image file: a tarball with metadata.yaml and rootfs. */
  body: Readable | Buffer;
  /** For the image list of Incus. */
  properties?: Record<string, string>;
}

/** `/1.0/images` and its aliases. */
export class Images {
  constructor(private readonly client: IncusClient) {}

  async list(options?: RequestOptions): Promise<Image[]> {
    return this.client.get<Image[]>("/1.0/images?recursion=1", options);
  }

  /** @throws NotFoundError */
  async get(fingerprint: string, options?: RequestOptions): Promise<Image> {
    return this.client.get<Image>(`/1.0/images/${encodeURIComponent(fingerprint)}`, options);
  }

  /** @throws NotFoundError */
  async getAlias(name: string, options?: RequestOptions): Promise<ImageAlias> {
    return this.client.get<ImageAlias>(aliasPath(name), options);
  }

  /** Imports an image file. Default limit: ten minutes. @returns its fingerprint */
  async import({ body, properties = {} }: ImageImport, options?: RequestOptions): Promise<string> {
    const done = await this.client.post<{ fingerprint: string }>("/1.0/images", undefined, {
      timeoutMs: 600_000,
      ...options,
      body,
      headers: {
        "content-type": "application/octet-stream",
        "x-incus-properties": new URLSearchParams(properties).toString(),
        ...options?.headers,
      },
    });
    return done.fingerprint;
  }

  /** Removes an image and the aliases that point to it. @throws NotFoundError */
  async delete(fingerprint: string, options?: RequestOptions): Promise<void> {
    await this.client.delete(`/1.0/images/${encodeURIComponent(fingerprint)}`, options);
  }

  /** Makes the alias point to this image, wherever it pointed before. */
  async setAlias(name: string, target: string, description = "", options?: RequestOptions): Promise<void> {
    try {
      await this.client.put(aliasPath(name), { target, description }, options);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      await this.client.post("/1.0/images/aliases", { name, target, description }, options);
    }
  }

  /** @throws NotFoundError */
  async deleteAlias(name: string, options?: RequestOptions): Promise<void> {
    await this.client.delete(aliasPath(name), options);
  }
}

/** Alias names hold slashes (`containarium/debian/13`), which must not become part of the path. */
function aliasPath(name: string): string {
  return `/1.0/images/aliases/${encodeURIComponent(name)}`;
}
