import pLimit from "p-limit";
import type { Limit } from "p-limit";

import type { Container, ContainerSpec } from "../../ops/containers/container";
import { CONTAINER_DEFAULTS } from "../../ops/containers/spec";
import { ConflictError, InvalidInputError, NotFoundError } from "../../ops/errors";
import { parsePublicKey } from "../../ops/keys/public-key";
import type { PublicKey } from "../../ops/keys/public-key";
import type { Server } from "../services";
import type { DesiredContainer } from "../stack/config-text";
import { nextCommand } from "../target-flags";
import type { Target } from "../target";
import { announce } from "./announce";
import { command } from "./command";
import type { Context, Result } from "./command";
import { readyLine, recordMade } from "./created";
import type { Made, Timing } from "./created";
import { createdBy, readCreateInput, refuseTwins } from "./create-input";
import type { CreateInput, Wanted } from "./create-input";
import { eachUser } from "./each-user";
import { lockTimeout, lockTimeoutOption } from "./lock-timeout";

export const create = command({
  usage: "create [users..]",
  describe: "Give people a container each",
  positional: { users: { describe: "login names", array: true } },
  options: {
    "ssh-key": {
      type: "string",
      array: true,
      nargs: 1,
      requiresArg: true,
      describe:
        "file with the user's public key, - for standard input; may come several times; {user} is the user's name",
    },
    from: {
      type: "string",
      requiresArg: true,
      describe: "CSV file of people; its first line names its columns: user,key,memory...",
    },
    image: {
      type: "string",
      requiresArg: true,
      describe: "image to make it from [default: the server's golden image]",
    },
    cpu: { type: "string", requiresArg: true, describe: "CPU time in cores, e.g. 2 or 0.5" },
    memory: { type: "string", requiresArg: true, describe: "memory limit, e.g. 4GiB" },
    "disk-quota": { type: "string", requiresArg: true, describe: "size of its disk, e.g. 20GB" },
    processes: { type: "string", requiresArg: true, describe: "most processes and threads [default: 4096]" },
    server: { type: "string", requiresArg: true, describe: "server to put it on [default: the one with most room]" },
    autostart: { type: "boolean", default: true, describe: "start with the server; --no-autostart: do not" },
    docker: { type: "boolean", default: true, describe: "allow Docker inside; --no-docker: do not" },
    "lock-timeout": lockTimeoutOption,
  },
  examples: [
    ["$0 create alice --ssh-key alice.pub", "one user"],
    ["$0 create bob --ssh-key bob.pub --memory 8GiB --disk-quota 50GB", "with more room"],
    ["$0 create ann ben --ssh-key 'keys/{user}.pub'", "several, each with a key of their own"],
    ["$0 create --from users.csv", "a whole class; see the README"],
  ],
  async run(args, context): Promise<Result> {
    const started = performance.now();
    const everybody = await readEverybody(
      { ...args, sshKey: args["ssh-key"], diskQuota: args["disk-quota"] },
      context.io,
    );
    const timeoutMs = lockTimeout(args["lock-timeout"]);
    const keys = everybody.flatMap(({ spec }) => spec.sshKeys.map((line) => parsePublicKey(line, "--ssh-key")));
    const brief = keys.length > 3 ? `${keys.length} keys` : keys.map(briefKey).join(", ");
    context.progress.done("Checked names and keys", brief, performance.now() - started);
    const target = await context.target();
    for (const { serverName } of everybody) refuseUnknownServer(serverName, target);
    await target.stack?.waitUntilUnlocked(timeoutMs);
    return createAll(everybody, { target, timeoutMs, context });
  },
});

type Input = Omit<CreateInput, "sshKey"> & { sshKey?: string[]; from?: string; server?: string };

/** From the command line, or from a table. @throws InvalidInputError; nothing has happened then */
async function readEverybody({ from, server, ...input }: Input, io: Context["io"]): Promise<Wanted[]> {
  const { users = [], sshKey } = input;
  const table = `npx containarium-ops create --from ${from ?? "users.csv"}`;
  if (from !== undefined && (users.length > 0 || sshKey !== undefined)) {
    throw new InvalidInputError("--from has the names and the keys", {
      remedy: `Give nothing else to say who:\n  ${table}`,
    });
  }
  const named: Wanted[] = [];
  if (from !== undefined) {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- every command loads this file, hardly any reads a table
    const { readUsersCsv } = require("./users-csv") as typeof import("./users-csv");
    named.push(...(await readUsersCsv(from, input, io)));
  } else {
    if (users.length === 0)
      throw new InvalidInputError("a user name is missing", { remedy: "npx containarium-ops create --help" });
    if (sshKey === undefined) {
      throw new InvalidInputError("missing: --ssh-key", { remedy: "Give the user's public key:  --ssh-key alice.pub" });
    }
    named.push(...(await readCreateInput({ ...input, users, sshKey }, io)).map((spec) => ({ spec })));
  }
  refuseTwins(named.map(({ spec }) => spec));
  return named.map(({ spec, serverName = server }) => ({ spec, serverName }));
}

/** `ed25519 SHA256:q8ZkCt0a...`: enough to recognise a key by. */
function briefKey({ type, fingerprint }: PublicKey): string {
  return `${type.replace(/^ssh-/, "")} ${fingerprint.slice(0, 15)}...`;
}

interface Job {
  target: Target;
  timeoutMs: number;
  context: Context;
}

/** What a server with two cores makes well at a time. */
const createsPerServer = 4;

/** One person's part of the job. */
interface OneJob extends Job {
  perServer: Map<string, Limit>;
  /** Begins every line of progress where several people are made. */
  title: string;
}

/** Makes several at a time on every server, then tells the stack of all of them at once. */
async function createAll(everybody: Wanted[], job: Job): Promise<Result> {
  const { context, target } = job;
  const desired = (await target.stack?.desired()) ?? [];
  const byUser = new Map(everybody.map((wanted) => [wanted.spec.user, wanted]));
  const perServer = new Map<string, Limit>();
  const { done: made, failures } = await eachUser([...byUser.keys()], context, (user) =>
    createOne(byUser.get(user)!, desired, { ...job, perServer, title: byUser.size > 1 ? `${user} ` : "" }),
  );
  const [{ unrecorded, recording }] =
    made.length === 0
      ? [{ unrecorded: [], recording: undefined }]
      : await Promise.all([recordMade(made, job), announce(made.map(({ container }) => container.server), target, context)]); // prettier-ignore
  return {
    json: {
      containers: made.map(({ container }) => container),
      timings: made.map(({ timing }) => timing),
      ...(recording && { recording }),
    },
    text: made.map((one) => readyLine(one, target)).join("\n"),
    failures: [...failures, ...unrecorded],
    succeeded: made.length - unrecorded.length,
  };
}

/** One person's container: find out what is there, choose a server, make it real. */
async function createOne(
  { spec: wanted, serverName }: Wanted,
  desired: DesiredContainer[],
  job: OneJob,
): Promise<Made> {
  const { context, perServer, target, title: prefix } = job;
  const { io, progress, services } = context;
  const started = performance.now();
  progress.doing(`Looking for ${wanted.user}...`);
  const found = await target.servers.find(wanted.user);
  const complete = found !== undefined && found.container.status !== "half-made";
  if (complete) refuseExisting(found.container, wanted, desired, target);
  const defaults = target.defaults;
  const spec: ContainerSpec = {
    ...(defaults && { cpu: defaults.cpu, memory: defaults.memory, diskQuota: defaults.diskQuota }),
    ...(complete && limitsOf(found.container)),
    ...wanted,
  };
  const server = await chooseServer(spec, found, serverName, job);
  progress.clear();
  const limit = perServer.get(server.name) ?? pLimit(createsPerServer);
  perServer.set(server.name, limit);
  const steps: Timing["steps"] = [{ name: "find", milliseconds: Math.round(performance.now() - started) }];
  // The engine takes longer to begin than a container to be made; many people are recorded in one run, at the end.
  const ahead =
    prefix === "" && !complete
      ? await target.stack?.recordAhead({ put: [{ ...wanted, server: server.name }] }, job.timeoutMs)
      : undefined;
  try {
    const container = await limit(() =>
      services.createContainer(server, spec, {
        ifExists: complete ? "adopt" : "fail",
        // Nobody has them, or `find` would have said so: what a server heard of one that is gone does not count.
        ifElsewhere: target.servers.all ? "ignore" : "refuse",
        createdBy: createdBy(io.env),
        signal: io.signal,
        onStep: ({ name, index, total, title, detail, milliseconds }) => {
          steps.push({ name, milliseconds });
          progress.done(`${prefix}[${index}/${total}] ${title}`, detail, milliseconds);
        },
      }),
    );
    return {
      spec: complete ? { ...limitsOf(container), ...wanted } : wanted,
      container,
      timing: { user: wanted.user, milliseconds: Math.round(performance.now() - started), steps },
      ahead,
    };
  } catch (error) {
    await ahead?.abandon();
    throw error;
  }
}

async function chooseServer(
  spec: ContainerSpec,
  found: { server: Server } | undefined,
  serverName: string | undefined,
  { context, target, title }: OneJob,
): Promise<Server> {
  if (found) {
    if (serverName === undefined || serverName === found.server.name) return found.server;
    throw new ConflictError(`${spec.user} already has a container on ${found.server.name}`, {
      remedy: `Leave out --server, or\n${nextCommand(target, `delete ${spec.user}`)}`,
    });
  }
  if (serverName !== undefined) return target.servers.server(serverName);
  const started = performance.now();
  const server = await target.servers.place(spec);
  if (target.addresses.length > 1)
    context.progress.done(`${title}Placed on ${server.name}`, "", performance.now() - started);
  return server;
}

/** A finished container is taken over only when no stack knows it yet and it is the same person's: the same keys. */
function refuseExisting(
  container: Container,
  wanted: ContainerSpec,
  desired: DesiredContainer[],
  target: Target,
): void {
  const recorded = desired.some(({ user }) => user === wanted.user);
  const keys = new Set(container.keys.map(({ fingerprint }) => fingerprint));
  const given = wanted.sshKeys.map((line) => parsePublicKey(line, "--ssh-key").fingerprint);
  const same = keys.size === given.length && given.every((fingerprint) => keys.has(fingerprint));
  if (target.stack && !recorded && same) return;
  throw new ConflictError(`${wanted.user} already has a container, ${container.name} on ${container.server}`, {
    remedy: [
      ...(recorded || same || !target.stack
        ? []
        : ["It is not recorded in the stack, and its keys are not the ones given."]),
      "To look at it, or to get rid of it and everything in it:",
      nextCommand(target, `info ${wanted.user}`),
      nextCommand(target, `delete ${wanted.user}`),
    ].join("\n"),
  });
}

export function limitsOf(container: Container): Partial<ContainerSpec> {
  const { cpu, memory, diskQuota, processes, autostart, docker, snapshotSchedule, snapshotExpiry } = container;
  const usual = processes === CONTAINER_DEFAULTS.processes;
  return {
    cpu,
    memory,
    diskQuota,
    ...(!usual && { processes }),
    ...(!autostart && { autostart }),
    ...(!docker && { docker }),
    ...(snapshotSchedule !== undefined && { snapshotSchedule }),
    ...(snapshotExpiry !== undefined && { snapshotExpiry }),
  };
}

export function refuseUnknownServer(name: string | undefined, { addresses, label }: Target): void {
  const names = addresses.map((address) => address.name);
  if (name === undefined || names.length === 0 || names.includes(name)) return;
  throw new NotFoundError(`no server ${name} in ${label}`, { remedy: `There is: ${names.join(", ")}` });
}
