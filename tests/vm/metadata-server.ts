import * as http from "node:http";
import type { AddressInfo } from "node:net";

const instance = "/computeMetadata/v1/instance/";

/** Compute Engine's metadata server, as far as a server of ours asks it anything. */
export class MetadataServer {
  /** What the next request gets. */
  attributes: Record<string, string> = {};
  /** Guest attributes, as the server wrote them last. */
  written: Record<string, string> = {};
  #preempted = false;
  readonly #waiting: http.ServerResponse[] = [];
  readonly #server = http.createServer((request, response) => this.#answer(request, response));

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Google takes the server away: whoever waits for it hears so at once. */
  preempt(): void {
    this.#preempted = true;
    for (const response of this.#waiting.splice(0)) response.end("TRUE");
  }

  /** How many ask to be told. */
  get watchers(): number {
    return this.#waiting.filter((response) => !response.destroyed).length;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://metadata");
    const [folder, ...rest] = pathname.replace(instance, "").split("/");
    const key = rest.join("/");
    if (request.headers["metadata-flavor"] !== "Google") return void response.writeHead(403).end();
    if (request.method === "PUT" && folder === "guest-attributes") {
      let body = "";
      request.on("data", (data: Buffer) => (body += data.toString()));
      request.on("end", () => {
        this.written[key] = body;
        response.end();
      });
      return;
    }
    if (folder === "preempted") return this.#tellPreempted(response, searchParams);
    const value = folder === "attributes" ? this.attributes[key] : undefined;
    if (value === undefined) response.writeHead(404).end();
    else response.end(value);
  }

  #tellPreempted(response: http.ServerResponse, asked: URLSearchParams): void {
    const tell = () => void response.end(this.#preempted ? "TRUE" : "FALSE");
    if (asked.get("wait_for_change") !== "true") return tell();
    this.#waiting.push(response);
    setTimeout(tell, Number(asked.get("timeout_sec")) * 1000).unref();
  }
}
