import { type ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";
import { once } from "node:events";
import { createInterface } from "node:readline";

import * as grpc from "@grpc/grpc-js";
import * as pulumi from "@pulumi/pulumi";

const { ResourceProviderClient } = require("@pulumi/pulumi/proto/provider_grpc_pb");
const messages = require("@pulumi/pulumi/proto/provider_pb");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb");

/** An error as the engine sees it: the message, and the half-made resource when there is one. */
export interface ProviderError {
  message: string;
  details: string;
  metadata: grpc.Metadata;
}

type Properties = Record<string, unknown>;

/**
 * The dynamic provider in a process of its own, spoken to over gRPC as the engine does: with the provider's serialised
 * code among the properties, and with the program's folder as working directory.
 */
export class ProviderProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly client: grpc.Client &
      Record<string, (request: unknown, callback: grpc.requestCallback<any>) => void>,
    private readonly code: string,
  ) {}

  static async start(
    kind: "container" | "localBalancer" | "localHost" | "localMachine",
    cwd: string,
  ): Promise<ProviderProcess> {
    const { stub } = require(path.resolve("dist/components/stub.js")) as typeof import("../../components/stub");
    const provider = stub(kind);
    const { text } = await pulumi.runtime.serializeFunction(() => provider);
    const script = require.resolve("@pulumi/pulumi/cmd/dynamic-provider");
    const child = spawn(process.execPath, [script, "127.0.0.1:1"], { cwd, stdio: ["ignore", "pipe", "inherit"] });
    const [port] = (await once(createInterface(child.stdout!), "line")) as [string];
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    return new ProviderProcess(child, client, text);
  }

  async check(news: Properties): Promise<{ property: string; reason: string }[]> {
    const request = new messages.CheckRequest();
    request.setOlds(this.struct({}));
    request.setNews(this.struct(news));
    const response = await this.call("check", request);
    return response
      .getFailuresList()
      .map((failure: any) => ({ property: failure.getProperty(), reason: failure.getReason() }));
  }

  async diff(id: string, olds: Properties, news: Properties): Promise<{ changes: boolean; replaces: string[] }> {
    const request = new messages.DiffRequest();
    request.setId(id);
    request.setOlds(this.struct(olds));
    request.setNews(this.struct(news));
    const response = await this.call("diff", request);
    return { changes: response.getChanges() === 2, replaces: response.getReplacesList() };
  }

  async create(inputs: Properties): Promise<{ id: string; properties: Properties }> {
    const request = new messages.CreateRequest();
    request.setProperties(this.struct(inputs));
    const response = await this.call("create", request);
    return { id: response.getId(), properties: response.getProperties().toJavaScript() };
  }

  async read(id: string, properties: Properties): Promise<{ id: string; properties: Properties }> {
    const request = new messages.ReadRequest();
    request.setId(id);
    request.setProperties(this.struct(properties));
    const response = await this.call("read", request);
    return { id: response.getId(), properties: response.getProperties()?.toJavaScript() ?? {} };
  }

  async update(id: string, olds: Properties, news: Properties): Promise<Properties> {
    const request = new messages.UpdateRequest();
    request.setId(id);
    request.setOlds(this.struct(olds));
    request.setNews(this.struct(news));
    return (await this.call("update", request)).getProperties().toJavaScript();
  }

  async delete(id: string, properties: Properties): Promise<void> {
    const request = new messages.DeleteRequest();
    request.setId(id);
    request.setProperties(this.struct(properties));
    await this.call("delete", request);
  }

  stop(): void {
    this.client.close();
    this.child.kill();
  }

  private struct(properties: Properties): unknown {
    return Struct.fromJavaScript(JSON.parse(JSON.stringify({ ...properties, __provider: this.code })));
  }

  private call(method: string, request: unknown): Promise<any> {
    return new Promise((resolve, reject) =>
      this.client[method]!(request, (error, response) => (error ? reject(error) : resolve(response))),
    );
  }
}
