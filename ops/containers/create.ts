import { randomUUID } from "node:crypto";
import { ConflictError, OperationError } from "../errors";
import type { Server } from "../host/server";
import type { RequestOptions } from "../incus/client";
import { adoptContainer } from "./adopt";
import type { Container, ContainerSpec, CreateStep } from "./container";
import { describeContainer } from "./describe";
import { readHostKey, writeAuthorizedKeys, writeUserFile } from "./guest-files";
import { KEY, renderDevices, renderIdentity, renderLimits } from "./instance-config";
import { makeInstance, settleAddress } from "./make-instance";
import { refuseElsewhere } from "./elsewhere";
import { prepare, type Findings } from "./prepare";
import { readRecord } from "./record";
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

/** How long the first SSH banner may take. [M] 0.5 s from start; a loaded server needs more. */
const SSH_TIMEOUT_SECONDS = 60;

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

  if (findings.existing?.state === "ready") {
    if (options.ifExists === "adopt") return adoptContainer(server, wanted, findings.existing, request);
    throw new ConflictError(`${wanted.name} exists already on ${server.name}`, {
      server: server.name,
      remedy: `Nothing was changed. Look at it:\n  containarium-ops info ${wanted.user}`,
    });
  }

  assertHasKey(wanted);
  const run = randomUUID();
  return withRollback(server, wanted, run, async (made) => {
    const making = { run, createdAt: new Date().toISOString(), createdBy: options.createdBy ?? "containarium" };
    const address = await instance(server, wanted, findings, making, made, request);
    steps.done(`Created ${wanted.name}`, describeMaking(wanted, findings));
    steps.done("Docker, SSH and tools come with the image", `baked ${findings.image.bakedAt || "on an unknown day"}`);

    await writeUserFile(server.incus, wanted.name, wanted, request);
    steps.done(`Prepared user ${wanted.user}`, wanted.docker ? "sudo, docker" : "sudo");

    const lines = wanted.keys.map(({ line }) => line);
    await writeAuthorizedKeys(server.incus, wanted.name, { user: wanted.user, keys: lines }, request);
    steps.done("Added SSH keys", describeKeys(wanted));

    await server.incus.instances.start(wanted.name, request);
    steps.done(`Started ${wanted.name}`, address);

    made.account = "maybe";
    const account = await server.helper(
      { op: "account.put", user: wanted.user, keys: lines, target: address },
      request,
    );
    made.account = account.created;
    steps.done(`Opened jump account ${wanted.user}`, `no shell, one way: ${address} port 22`);

    const hostKey = await verify(server, wanted, address, request);
    const container = await markReady(server, wanted, run, hostKey, request);
    steps.done("SSH answers", `${wanted.user}@${address}`);
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
  if (existing === undefined) {
    made.instance = true;
    try {
      return await makeInstance(server, { spec, image, gateway, instances, making }, request);
    } catch (error) {
      if (error instanceof ConflictError) throw beingMade(server, spec, error);
      throw error;
    }
  }
  if (existing.image !== image.name) {
    throw new ConflictError(`${spec.name} is half-made from another image (${existing.image})`, {
      server: server.name,
      remedy: `Remove it first:\n  containarium-ops delete ${spec.user}`,
    });
  }
  await server.incus.instances.stop(spec.name, { force: true, ...request });
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

/** The user's own way must end at this container's SSH server, and not at another's. */
async function verify(server: Server, spec: ResolvedSpec, target: string, request: RequestOptions): Promise<string> {
  const answer = await server.helper(
    { op: "path.verify", user: spec.user, target, timeoutSeconds: SSH_TIMEOUT_SECONDS },
    request,
  );
  const hostKey = await readHostKey(server.incus, spec.name, request);
  const shown = answer.hostKeys.filter((key) => key.split(" ")[0] === hostKey.split(" ")[0]);
  if (shown.length > 0 && !shown.some((key) => key.split(" ").slice(0, 2).join(" ") === hostKey)) {
    throw new OperationError(`another machine answers at ${target}: its host key is not that of ${spec.name}`, {
      server: server.name,
    });
  }
  return hostKey;
}

/** The last change: from now on it is complete. Only if no later run took it over. */
async function markReady(
  server: Server,
  spec: ResolvedSpec,
  run: string,
  hostKey: string,
  request: RequestOptions,
): Promise<Container> {
  const change = { [KEY.state]: "ready", [KEY.hostKeys]: JSON.stringify([hostKey]), [KEY.run]: "" };
  const before = await server.incus.instances.modify(
    spec.name,
    (current) => {
      if (current.config[KEY.run] !== run) throw beingMade(server, spec);
      return { config: change };
    },
    request,
  );
  const record = readRecord({ ...before, config: { ...before.config, ...change } })!;
  return describeContainer(record, "running", server.name);
}

function beingMade(server: Server, spec: ResolvedSpec, cause?: unknown): ConflictError {
  return new ConflictError(`somebody else is making ${spec.name} on ${server.name} at this moment`, {
    server: server.name,
    cause,
    remedy: `Look at it when they are done:\n  containarium-ops info ${spec.user}`,
  });
}

function describeMaking(spec: ResolvedSpec, { image }: Findings): string {
  const golden = `golden image ${image.name}${image.bakedAt === "" ? "" : ` of ${image.bakedAt}`}`;
  return `${golden}, ${spec.cpu} CPU, ${spec.memory.text}, ${spec.diskQuota.text}`;
}

function describeKeys({ keys }: ResolvedSpec): string {
  return keys.length === 1 ? `${keys[0]!.type} ${keys[0]!.fingerprint}` : `${keys.length} keys`;
}
