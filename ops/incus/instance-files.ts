import { NotFoundError } from "../errors";
import type { IncusClient, RequestOptions } from "./client";
import { incusError, IncusError } from "./incus-error";
import { parseEnvelope } from "./query";
import { waitFor } from "../wait";

/** Such a process ends by itself after 15 s in which nobody asks. */
const SERVED_TIMEOUT_MS = 60_000;

/** Owner and mode of a new file. Defaults: root, root, 0644 (0755 for a directory). */
export interface FileAttributes {
  uid?: number;
  gid?: number;
  mode?: number;
}

interface FoundFile extends Required<FileAttributes> {
  /** `file`, `directory` or `symlink`. */
  type: string;
  content: Buffer;
}

/** `/1.0/instances/<name>/files`: works on a stopped instance too. */
export class InstanceFiles {
  constructor(
    private readonly client: IncusClient,
    private readonly name: string,
  ) {}

  /** Content of a file. @throws NotFoundError */
  async get(path: string, options?: RequestOptions): Promise<Buffer> {
    return (await this.read(path, options)).content;
  }

  /**
   * Makes a file be this: content, owner and mode. Its directory must exist. Nothing is written when it is so already.
   *
   * Incus keeps owner and mode of a file that it overwrites, and follows links: what is not a plain file of the right
   * owner is removed first.
   */
  async put(path: string, content: string | Buffer, attributes: FileAttributes = {}, options?: RequestOptions) {
    const wanted = { uid: 0, gid: 0, mode: 0o644, ...attributes };
    const found = await this.read(path, options).catch((error: unknown) => {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    });
    const isAsWanted =
      found?.type === "file" && found.uid === wanted.uid && found.gid === wanted.gid && found.mode === wanted.mode;
    if (isAsWanted && found.content.equals(Buffer.from(content))) return;
    if (found !== undefined && !isAsWanted) await this.delete(path, options);
    await this.send(path, "file", wanted, content, options);
  }

  /** Changes the text of a file that is there; owner and mode stay. @throws NotFoundError */
  async edit(path: string, change: (text: string) => string, options?: RequestOptions): Promise<void> {
    const found = await this.read(path, options);
    await this.send(path, "file", found, change(found.content.toString("utf8")), options);
  }

  /** Makes a symbolic link, root's. */
  async link(path: string, target: string, options?: RequestOptions): Promise<void> {
    await this.send(path, "symlink", {}, target, options);
  }

  /** Makes one directory; fine when it is there. Its parent must exist. */
  async mkdir(path: string, attributes: FileAttributes = {}, options?: RequestOptions): Promise<void> {
    await this.send(path, "directory", { mode: 0o755, ...attributes }, "", options);
  }

  /** @throws NotFoundError */
  async delete(path: string, options?: RequestOptions): Promise<void> {
    await this.whenServed(() => this.client.delete(this.url(path), options), options);
  }

  /**
   * Incus (6.0.4) has a process for the files of each instance, and ends it when nobody asks: who asks in that moment is
   * told that its socket is gone. Nothing was done then. But the next process may run already, where nobody reaches it.
   */
  private async whenServed<T>(work: () => Promise<T>, options?: RequestOptions): Promise<T> {
    const attempt = async () => {
      try {
        return { result: await work() };
      } catch (error) {
        if (!(error instanceof IncusError && /forkfile\.sock/.test(error.message))) throw error;
        await this.client.endFileServer(this.name);
        return false;
      }
    };
    const { server } = this.client.transport;
    const what = `Incus to serve the files of ${this.name}`;
    const { result } = await waitFor(attempt, { timeoutMs: SERVED_TIMEOUT_MS, what, server, signal: options?.signal });
    return result;
  }

  private read(path: string, options?: RequestOptions): Promise<FoundFile> {
    return this.whenServed(() => this.readOnce(path, options), options);
  }

  private async readOnce(path: string, options?: RequestOptions): Promise<FoundFile> {
    const { server } = this.client.transport;
    const request = { ...options, method: "GET" as const, path: this.url(path) };
    const { status, headers, body } = await this.client.transport.raw(request);
    if (status >= 400) {
      const { error_code, error } = parseEnvelope(body, `GET ${path}`, status, server);
      throw incusError(error_code || status, error ?? "", `reading ${path}`, server);
    }
    return {
      type: String(headers["x-incus-type"] ?? ""),
      uid: Number(headers["x-incus-uid"]),
      gid: Number(headers["x-incus-gid"]),
      mode: parseInt(String(headers["x-incus-mode"]), 8),
      content: body,
    };
  }

  private async send(
    path: string,
    type: "file" | "directory" | "symlink",
    { uid = 0, gid = 0, mode = 0o644 }: FileAttributes,
    body: string | Buffer,
    options?: RequestOptions,
  ): Promise<void> {
    const request = {
      ...options,
      method: "POST" as const,
      path: this.url(path),
      body,
      headers: {
        "content-type": "application/octet-stream",
        "x-incus-type": type,
        "x-incus-uid": String(uid),
        "x-incus-gid": String(gid),
        "x-incus-mode": `0${mode.toString(8)}`,
        "x-incus-write": "overwrite",
      },
    };
    await this.whenServed(() => this.client.query(request), options);
  }

  private url(path: string): string {
    return `/1.0/instances/${encodeURIComponent(this.name)}/files?path=${encodeURIComponent(path)}`;
  }
}
