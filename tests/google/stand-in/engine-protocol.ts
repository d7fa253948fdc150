import * as grpc from "@grpc/grpc-js";

const { ResourceProviderService } = require("@pulumi/pulumi/proto/provider_grpc_pb");
const messages = require("@pulumi/pulumi/proto/provider_pb");
const { PluginInfo } = require("@pulumi/pulumi/proto/plugin_pb");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb");

export type Properties = Record<string, unknown>;

/** What a preview gives for a value that only the update will know. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export interface PropertyChange {
  /** Pulumi's way to write it: `networkInterfaces[0].networkIp`. */
  path: string;
  kind: "add" | "delete" | "update";
  /** The resource has to be made anew for it. */
  replace: boolean;
}

export interface Resource {
  /** `gcp:compute/disk:Disk` */
  type: string;
  /** Its name in the stack. */
  name: string;
}

export interface Made {
  id: string;
  outputs: Properties;
}

/** What a stand-in provider does; the SDK's own `provider.main` has no previews and no property by property diff. */
export interface StandInProvider {
  version: string;
  configure(args: Properties): void;
  /** Reasons why the inputs are refused; `property` names the one at fault. */
  check(resource: Resource, inputs: Properties): { property: string; reason: string }[];
  diff(
    resource: Resource,
    olds: Properties,
    news: Properties,
  ): { changes: PropertyChange[]; deleteBeforeReplace: boolean };
  /** What can be said before it is made. */
  preview(resource: Resource, inputs: Properties, olds?: Properties): Properties;
  create(resource: Resource, inputs: Properties): Promise<Made>;
  read(resource: Resource, id: string, state: Properties): Promise<(Made & { inputs: Properties }) | undefined>;
  update(resource: Resource, id: string, state: Properties, inputs: Properties): Promise<Properties>;
  delete(resource: Resource, id: string, state: Properties): Promise<void>;
  invoke(token: string, args: Properties): Promise<Properties>;
}

type Handler = (request: any) => any;

/** Serves the provider to the engine, which reads the port from stdout. */
export async function serve(provider: StandInProvider): Promise<void> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  const handlers = Object.entries(handlersOf(provider)).map(([method, handler]) => [
    method,
    (call: { request: unknown }, callback: grpc.sendUnaryData<unknown>) =>
      void Promise.resolve()
        .then(() => handler(call.request))
        .then(
          (response) => callback(null, response),
          (error: Error) => callback({ code: grpc.status.UNKNOWN, details: error.message }),
        ),
  ]);
  server.addService(ResourceProviderService, Object.fromEntries(handlers));
  const port = await new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    ),
  );
  process.stdout.write(`${String(port)}\n`);
}

function handlersOf(provider: StandInProvider): Record<string, Handler> {
  return {
    getPluginInfo: () => filled(new PluginInfo(), { Version: provider.version }),
    checkConfig: (request) => filled(new messages.CheckResponse(), { Inputs: request.getNews() }),
    diffConfig: () => filled(new messages.DiffResponse(), { Changes: messages.DiffResponse.DiffChanges.DIFF_NONE }),
    configure: (request) => {
      provider.configure(plain(request.getArgs()));
      return filled(new messages.ConfigureResponse(), { Supportspreview: true });
    },
    check: (request) => checked(provider, request),
    diff: (request) => diffed(provider, request),
    create: async (request) => {
      const inputs = plain(request.getProperties());
      const made = request.getPreview()
        ? { id: "", outputs: provider.preview(resourceOf(request), inputs) }
        : await provider.create(resourceOf(request), inputs);
      return filled(new messages.CreateResponse(), { Id: made.id, Properties: struct(made.outputs) });
    },
    read: async (request) => {
      const made = await provider.read(resourceOf(request), request.getId(), plain(request.getProperties()));
      if (made === undefined) return new messages.ReadResponse();
      const { id, outputs, inputs } = made;
      return filled(new messages.ReadResponse(), { Id: id, Properties: struct(outputs), Inputs: struct(inputs) });
    },
    update: async (request) => {
      const [state, inputs] = [plain(request.getOlds()), plain(request.getNews())];
      const outputs = request.getPreview()
        ? provider.preview(resourceOf(request), inputs, state)
        : await provider.update(resourceOf(request), request.getId(), state, inputs);
      return filled(new messages.UpdateResponse(), { Properties: struct(outputs) });
    },
    delete: async (request) => {
      await provider.delete(resourceOf(request), request.getId(), plain(request.getProperties()));
      return new Empty();
    },
    invoke: async (request) => {
      const result = await provider.invoke(request.getTok(), plain(request.getArgs()));
      return filled(new messages.InvokeResponse(), { Return: struct(result) });
    },
    cancel: () => new Empty(),
  };
}

function checked(provider: StandInProvider, request: any): unknown {
  const failures = provider.check(resourceOf(request), plain(request.getNews()));
  const response = filled(new messages.CheckResponse(), { Inputs: request.getNews() });
  response.setFailuresList(
    failures.map(({ property, reason }) => filled(new messages.CheckFailure(), { Property: property, Reason: reason })),
  );
  return response;
}

function diffed(provider: StandInProvider, request: any): unknown {
  const [olds, news] = [plain(request.getOldInputs() ?? request.getOlds()), plain(request.getNews())];
  const ignored = request.getIgnorechangesList() as string[];
  const result = provider.diff(resourceOf(request), olds, news);
  const changes = result.changes.filter(({ path }) => !ignored.includes(path));
  const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
  const response = filled(new messages.DiffResponse(), {
    Changes: changes.length > 0 ? DIFF_SOME : DIFF_NONE,
    Hasdetaileddiff: true,
    Deletebeforereplace: result.deleteBeforeReplace,
  });
  response.setReplacesList(changes.filter(({ replace }) => replace).map(({ path }) => path));
  for (const { path, kind, replace } of changes) {
    const value = messages.PropertyDiff.Kind[`${kind}${replace ? "_replace" : ""}`.toUpperCase()];
    response.getDetaileddiffMap().set(path, filled(new messages.PropertyDiff(), { Kind: value, Inputdiff: true }));
  }
  return response;
}

function resourceOf(request: any): Resource {
  const [, , qualified = "", name = ""] = (request.getUrn() as string).split("::");
  return { type: qualified.split("$").at(-1) ?? "", name };
}

function filled(message: any, values: Record<string, unknown>): any {
  for (const [name, value] of Object.entries(values)) message[`set${name}`](value);
  return message;
}

function struct(properties: Properties): unknown {
  // Through JSON: there is no `undefined` in a Struct.
  return Struct.fromJavaScript(JSON.parse(JSON.stringify(properties)));
}

function plain(given: { toJavaScript(): Properties } | undefined): Properties {
  return given?.toJavaScript() ?? {};
}
