import type { Readable } from "node:stream";
import type { IncusClient, RequestOptions } from "./client";
import { incusError } from "./incus-error";
import { parseEnvelope } from "./query";

/** Packing and unpacking may take long; whoever waits sees how far it is, and can stop it. */
export const BACKUP_TIMEOUT_MS = 12 * 3_600_000;

export interface NewBackup {
  name: string;
  /** ISO 8601: Incus deletes it then, should we not come to it. */
  expires_at: string;
  compression_algorithm: "zstd" | "gzip" | "none";
  instance_only: boolean;
  /** False: a plain archive, which every server can unpack, whatever its storage. */
  optimized_storage: boolean;
}

/** `/1.0/instances/<name>/backups`: archives that the server keeps until they were fetched. */
export class Backups {
  constructor(
    private readonly client: IncusClient,
    private readonly instancePath: string,
  ) {}

  async create(backup: NewBackup, options?: RequestOptions): Promise<void> {
    await this.client.post(`${this.instancePath}/backups`, backup, { timeoutMs: BACKUP_TIMEOUT_MS, ...options });
  }

  /** The archive as a stream, and how long it is, if the server says so. */
  async export(name: string, options?: RequestOptions): Promise<{ body: Readable; bytes: number | undefined }> {
    const path = `${this.path(name)}/export`;
    const { transport } = this.client;
    const request = { timeoutMs: BACKUP_TIMEOUT_MS, ...options, method: "GET" as const, path };
    const { status, headers, body } = await transport.stream(request);
    if (status >= 400) {
      const text = Buffer.concat(await body.toArray());
      const { error_code, error } = parseEnvelope(text, `GET ${path}`, status, transport.server);
      throw incusError(error_code || status, error ?? "", `reading ${path}`, transport.server);
    }
    const length = headers["content-length"];
    return { body, bytes: typeof length === "string" ? Number(length) : undefined };
  }

  /** @throws NotFoundError */
  async delete(name: string, options?: RequestOptions): Promise<void> {
    await this.client.delete(this.path(name), options);
  }

  private path(name: string): string {
    return `${this.instancePath}/backups/${encodeURIComponent(name)}`;
  }
}
