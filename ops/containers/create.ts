import { randomUUID } from "node:crypto";
import { recordOperation } from "../audit/record-operation";
import { ConflictError, NotFoundError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { both } from "../wait";
import { adoptContainer } from "./adopt";
import type { Container, ContainerSpec, CreateStep } from "./container";
import { beingMade, finish } from "./finish";
import { writeAuthorizedKeys, writeUserFile } from "./guest-files";
import { KEY, renderDevices, renderIdentity, renderLimits } from "./instance-config";
import { makeInstance, settleAddress, startSettled } from "./make-instance";
import { refuseElsewhere } from "./elsewhere";
import { refuseMoving } from "./own-container";
import { prepare, type Findings } from "./prepare";
import { removeInstance } from "./remove-instance";
import { withRollback, type Made } from "./rollback";
import { assertHasKey, resolveSpec, type ResolvedSpec } from "./spec";
import { CREATE_STEPS, Steps } from "./steps";

export interface CreateOptions {
  /** What to do when the container is there and complete. `adopt`: make keys and limits agree. Default `fail`. */
  ifExists?: "adopt" | "fail";
  /**
   * What to do when the jump account belongs to somebody of that name on another server. `ignore`: the caller has asked
   * all servers and knows that nobody has such a container. Default `refuse`.
   */
  ifElsewhere?: "refuse" | "ignore";
  /** Called after each of the seven steps. */
  onStep?: (step: CreateStep) => void;
  /** Recorded in the container, for example `admin@laptop`. Default `containarium`. */
  createdBy?: string;
  /** Stops between two steps and takes back what was made. */
  signal?: AbortSignal;
}

/**
 * Makes one person's container and the way into it; returns when SSH answers on that way.
 *
 * Incus is the source of truth, so the instance comes first, marked `creating`, and is marked `ready` last. A run that
 * was killed leaves one in `creating`; the next run completes it. A run that fails takes back what it made itself.
 *
 * @throws InvalidInputError, ConflictError (nothing was changed), or what failed on the server (`leftBehind` says what
 *   could not be taken back)
 */
export async function createContainer(
  server: Server,
  spec: ContainerSpec,
  options: CreateOptions = {},
): Promise<Container> {
  const wanted = resolveSpec(spec);
  if (options.ifExists !== "adopt") assertHasKey(wanted);
  const steps = new Steps(CREATE_STEPS, options.onStep, options.signal);
  const request: RequestOptions = { signal: options.signal };
  const findings = await prepare(server, wanted, request);
  if (findings.existing === undefined && options.ifElsewhere !== "ignore") {
    await refuseElsewhere(server, wanted.user, findings.home, request);
  }

  if (findings.existing !== undefined) refuseMoving(findings.existing, server.name);
  if (findings.existing?.state === "ready") {
    if (options.ifExists === "adopt") return adoptContainer(server, wanted, findings.existing, request);
    throw new ConflictError(`${wanted.name} exists already on ${server.name}`, {
      server: server.name,
      remedy: `Nothing was changed. Look at it:\n  containarium-ops info ${wanted.user}`,
    });
  }

  assertHasKey(wanted);
  const detail = options.createdBy === undefined ? "" : `by ${options.createdBy}`;
  return recordOperation(server, { operation: "create", user: wanted.user, detail }, () =>
    make(server, wanted, findings, steps, options),
  );
}

async function make(
  server: Server,
  wanted: ResolvedSpec,
  findings: Findings,
  steps: Steps,
  options: CreateOptions,
): Promise<Container> {
  const request: RequestOptions = { signal: options.signal };
  const run = randomUUID();
  return withRollback(server, wanted, run, async (made) => {
    const making = { run, createdAt: new Date().toISOString(), createdBy: options.createdBy ?? "containarium" };
    const wished = await instance(server, wanted, findings, making, made, request);
    steps.done("instance", `Created ${wanted.name}`, describeMaking(wanted, findings));
    steps.done(
      "image",
      "Docker, SSH and tools come with the image",
      `baked ${findings.image.bakedAt || "on an unknown day"}`,
    );

    const lines = wanted.keys.map(({ line }) => line);
    const keysWritten = writeAuthorizedKeys(server.incus, wanted.name, { user: wanted.user, keys: lines }, request);
    await Promise.all([writeUserFile(server.incus, wanted.name, wanted, request), keysWritten]);
    steps.done("user", `Prepared user ${wanted.user}`, wanted.docker ? "sudo, docker" : "sudo");
    steps.done("keys", "Added SSH keys", describeKeys(wanted));

    const putAccount = async (target: string) => {
      const before = made.account;
      made.account = "maybe";
      const account = { op: "account.put", user: wanted.user, keys: lines, target } as const;
      const { created } = await server.helper(account, request);
      made.account = before === true || created;
    };
    const order = { spec: wanted, gateway: findings.gateway, address: wished };
    const address = await both(startSettled(server, order, request), putAccount(wished));
    if (address !== wished) await putAccount(address);
    steps.done("start", `Started ${wanted.name}`, address);
    steps.done("account", `Opened jump account ${wanted.user}`, `no shell, one way: ${address} port 22`);

    const container = await finish(server, { spec: wanted, address, run }, request);
    steps.done("ssh", "SSH answers", `${wanted.user}@${address}`);
    return container;
  });
}

/** Makes the instance, or takes over one that an earlier run left half-made. Stopped in both cases. */
async function instance(
  server: Server,
  spec: ResolvedSpec,
  { existing, image, gateway, instances }: Findings,
  making: { run: string; createdAt: string; createdBy: string },
  made: Made,
  request: RequestOptions,
): Promise<string> {
  if (existing !== undefined && existing.image !== image.name) {
    throw new ConflictError(`${spec.name} is half-made from another image (${existing.image})`, {
      server: server.name,
      remedy: `Remove it first:\n  containarium-ops delete ${spec.user}`,
    });
  }
  if (existing === undefined || !(await isLeftWhole(server, spec.name, request))) {
    made.instance = true;
    try {
      return await makeInstance(server, { spec, image, gateway, instances, making }, request);
    } catch (error) {
      if (error instanceof ConflictError) throw beingMade(server, spec, error);
      throw error;
    }
  }
  await server.incus.instances.modify(
    spec.name,
    () => ({
      config: { ...renderIdentity(spec), ...renderLimits(spec), [KEY.state]: "creating", [KEY.run]: making.run },
      devices: renderDevices(spec, existing.address),
    }),
    request,
  );
  return settleAddress(server, { spec, gateway, address: existing.address }, request);
}

/**
 * Stops what a killed run has left. It may have begun the copy, which Incus brings to its end, or takes back; unless Incus was
 * killed too: one without its disk is removed.
 *
 * @returns whether it is there
 */
async function isLeftWhole(server: Server, name: string, request: RequestOptions): Promise<boolean> {
  await server.incus.instances.untilIdle(name, request);
  try {
    await server.incus.instances.stop(name, { force: true, ...request });
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
  const { missing } = await server.helper({ op: "disk.mend", name }, request);
  if (missing) await removeInstance(server, name, request);
  return !missing;
}

function describeMaking(spec: ResolvedSpec, { image }: Findings): string {
  const golden = `golden image ${image.name}${image.bakedAt === "" ? "" : ` of ${image.bakedAt}`}`;
  return `${golden}, ${spec.cpu} CPU, ${spec.memory.text}, ${spec.diskQuota.text}`;
}

function describeKeys({ keys }: ResolvedSpec): string {
  return keys.length === 1 ? `${keys[0]!.type} ${keys[0]!.fingerprint}` : `${keys.length} keys`;
}
