import * as pulumi from "@pulumi/pulumi";

import { answer } from "./answers";
import type { Resource, ResourceOptions } from "./resource";
import { hearingUnhandled } from "./unhandled";

export interface RecordingOptions {
  /** Of Pulumi; default `containarium` and `dev`. */
  project?: string;
  stack?: string;
  preview?: boolean;
  /** Settings with their namespace, `containarium:servers`. */
  config?: Record<string, string>;
  /** The project on Google. */
  googleProject?: string;
  /** Answers what the program looks up, `gcp:compute/getInstanceGuestAttributes:getInstanceGuestAttributes` for one. Throws for what is not there. */
  invoke?: (token: string, inputs: Record<string, any>) => Record<string, any> | Promise<Record<string, any>>;
  /** Outputs besides those that every resource of its type gets. Throws to refuse the resource. */
  outputs?: (resource: Resource) => Record<string, any> | undefined;
  /** Milliseconds for all of it, default 30 seconds: a busy computer takes some. Give the test more (`jest.setTimeout`). */
  limit?: number;
}

/**
 * Runs a program as the engine would, makes nothing, and tells what it asked for: inputs as the provider would get them,
 * secrets opened, and the options that the engine obeys (also those that a parent passes on). Providers of dynamic
 * resources do not run. Resolves when all is registered; rejects with the first error of the program or of a
 * registration, and when something is never registered.
 *
 * One recording at a time: the engine's side of a program is global to the process.
 */
export async function recordResources(program: () => unknown, options: RecordingOptions = {}): Promise<Resource[]> {
  const { project = "containarium", stack = "dev", preview = false, config = {}, limit = 30_000 } = options;
  const recorder = new Recorder(options);
  await pulumi.runtime.setMocks(recorder, project, stack, preview);
  pulumi.runtime.setAllConfig(config);
  recorder.listen();
  const run = async () => {
    await pulumi.runtime.runInPulumiStack(async () => {
      pulumi.runtime.registerStackTransformation((args) => recorder.awaits(args));
      await program();
      return {};
    });
    await recorder.finished();
  };
  await hearingUnhandled(recorder.fail, () => Promise.race([run(), recorder.failed, timeout(limit, recorder)]));
  return recorder.resources;
}

/** The mocks, and an ear at the monitor that they answer through: only there the options are heard. */
class Recorder implements pulumi.runtime.Mocks {
  readonly resources: Resource[] = [];
  /** Rejects with the first error that anything told. */
  readonly failed: Promise<never>;
  fail!: (error: unknown) => void;

  private readonly announced: string[] = [];

  constructor(private readonly options: RecordingOptions) {
    this.failed = new Promise((_, reject) => (this.fail = reject));
    this.failed.catch(() => undefined);
  }

  newResource({ type, name, inputs }: pulumi.runtime.MockResourceArgs): pulumi.runtime.MockResourceResult {
    const resource = { type, name, inputs: open(inputs) };
    if (type === pulumi.runtime.rootPulumiStackTypeName) return { id: "stack", state: {} };
    const { id, outputs } = answer(this.options.googleProject ?? "some-project", type, name, resource.inputs);
    return { id, state: { ...outputs, ...this.options.outputs?.(resource) } };
  }

  async call({ token, inputs }: pulumi.runtime.MockCallArgs): Promise<Record<string, any>> {
    try {
      if (this.options.invoke === undefined) throw new Error(`nobody answers ${token}`);
      return await this.options.invoke(token, open(inputs));
    } catch (error) {
      // Where gRPC has its errors' text.
      throw Object.assign(error as Error, { details: (error as Error).message });
    }
  }

  /** Hears every request to make a resource, and how it was answered. */
  listen(): void {
    const monitor = pulumi.runtime.getMonitor() as any;
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request: any, callback: (error: unknown, response: any) => void) =>
      register(request, (error: unknown, response: any) => {
        if (error === null) this.keep(request, response);
        else this.fail(new Error(`${request.getName()} [${request.getType()}]: ${(error as Error).message}`, { cause: error }));
        callback(error, response);
      }); // prettier-ignore
  }

  /** Called when a resource is constructed, before its inputs are known. */
  awaits({ type, name }: pulumi.ResourceTransformationArgs): undefined {
    this.announced.push(`${name} [${type}]`);
  }

  /** What was constructed and is not registered. */
  missing(): string[] {
    const registered = this.resources.map(({ type, name }) => `${name} [${type}]`);
    return this.announced.filter((one) => !registered.includes(one));
  }

  /** An answer may lead to further resources: it is finished when nothing is under way, and nothing new came. */
  async finished(): Promise<void> {
    for (let before = -1; before !== this.announced.length;) {
      before = this.announced.length;
      // Not among the declarations; what the SDK itself calls at the end of a program.
      await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
      await new Promise(setImmediate);
    }
    if (this.missing().length > 0) throw new Error(`never registered: ${this.missing().join(", ")}`);
  }

  private keep(request: any, response: any): void {
    if (request.getType() === pulumi.runtime.rootPulumiStackTypeName) return;
    const { __provider, ...inputs } = open(pulumi.runtime.deserializeProperties(request.getObject()));
    this.resources.push({
      type: request.getType(),
      name: request.getName(),
      urn: response.getUrn(),
      inputs,
      outputs: open(pulumi.runtime.deserializeProperties(response.getObject())),
      options: optionsOf(request),
    });
  }
}

/** Those that were set. */
function optionsOf(request: any): ResourceOptions {
  const timeouts = request.getCustomtimeouts()?.toObject() ?? {};
  const all: ResourceOptions = {
    protect: request.getProtect(),
    retainOnDelete: request.getRetainondelete(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    import: request.getImportid(),
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    parent: request.getParent(),
    dependencies: request.getDependenciesList(),
    deletedWith: request.getDeletedwith(),
    replaceWith: request.getReplaceWithList(),
    aliases: request.getAliasesList().map((alias: any) => alias.getUrn() || alias.getSpec()?.getName()),
    customTimeouts: timeouts.create || timeouts.update || timeouts.delete ? timeouts : undefined,
  };
  const isSet = (value: unknown) => (Array.isArray(value) ? value.length > 0 : Boolean(value));
  return Object.fromEntries(Object.entries(all).filter(([, value]) => isSet(value)));
}

/** Values without the wrapping of secrets, at any depth. */
function open(value: any): any {
  const plain = pulumi.runtime.isRpcSecret(value) ? pulumi.runtime.unwrapRpcSecret(value) : value;
  if (Array.isArray(plain)) return plain.map(open);
  if (plain === null || typeof plain !== "object" || Object.getPrototypeOf(plain) !== Object.prototype) return plain;
  return Object.fromEntries(Object.entries(plain).map(([key, one]) => [key, open(one)]));
}

function timeout(limit: number, recorder: Recorder): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(new Error(`not finished after ${limit} ms; not registered: ${recorder.missing().join(", ")}`));
    setTimeout(end, limit).unref();
  }); // prettier-ignore
}
