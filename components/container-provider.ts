import { isDeepStrictEqual } from "node:util";

import type { dynamic } from "@pulumi/pulumi";
import pLimit from "p-limit";

import {
  ContainariumError,
  containerName,
  type Container,
  type ContainerSpec,
  createContainer,
  deleteContainer,
  getContainer,
  InvalidInputError,
  NotFoundError,
  parsePublicKey,
  parseProcesses,
  parseSchedule,
  parseScheduleExpiry,
  parseSize,
  parseUserName,
  type Server,
  type ServerAddress,
  UnreachableError,
  withServer,
} from "../ops";
import { passCreationGate } from "../ops/containers/creation-gate";
import { known } from "./known";
import { projectDirectory } from "./project-directory";

export interface ContainerInputs extends ContainerSpec {
  server: ServerAddress;
}

export interface ContainerOutputs extends ContainerInputs {
  ip: string;
  hostKeys: string[];
}

/** The engine starts as many operations as it likes; a server with two cores makes this many containers well. */
const operationsPerServer = 4;
const limits = new Map<string, ReturnType<typeof pLimit>>();

/** The fields whose change is a change of the container. `image` is used once, at creation. */
const comparedFields = [
  ...(["sshKeys", "cpu", "memory", "diskQuota", "processes", "autostart", "docker"] as const),
  ...(["snapshotSchedule", "snapshotExpiry"] as const),
];

export const containerProvider = { check, diff, create, read, update, delete: remove };

async function check(_olds: unknown, news: ContainerInputs): Promise<dynamic.CheckResult<ContainerInputs>> {
  const failures: dynamic.CheckFailure[] = [];
  const attempt = (property: string, parse: () => unknown) => {
    try {
      parse();
    } catch (error) {
      failures.push({ property, reason: (error as Error).message });
    }
  };
  attempt("user", () => parseUserName(news.user));
  for (const key of known(news.sshKeys) ?? []) attempt("sshKeys", () => parsePublicKey(key, "sshKeys"));
  if (known(news.memory)) attempt("memory", () => parseSize(news.memory as string, "memory"));
  if (known(news.diskQuota)) attempt("diskQuota", () => parseSize(news.diskQuota as string, "disk quota"));
  const processes = known(news.processes);
  if (processes !== undefined) attempt("processes", () => parseProcesses(processes));
  if (known(news.snapshotSchedule)) attempt("snapshotSchedule", () => parseSchedule(news.snapshotSchedule as string));
  if (known(news.snapshotExpiry)) attempt("snapshotExpiry", () => parseScheduleExpiry(news.snapshotExpiry as string));
  return { inputs: news, failures };
}

async function diff(_id: string, olds: ContainerOutputs, news: ContainerInputs): Promise<dynamic.DiffResult> {
  if (known(news.server)?.name !== undefined && olds.server.name !== news.server.name) {
    // A replacement would delete somebody's home. Nothing that the engine may decide by itself.
    if (await livesOn(news)) return { changes: true, replaces: [], deleteBeforeReplace: true };
    throw new InvalidInputError(`${olds.user} lives on ${olds.server.name}, not on ${news.server.name}`, {
      remedy: `Set  server: ${olds.server.name}  again; a container is moved with its data by  containarium-ops move.`,
    });
  }
  const replaces = olds.user === news.user ? [] : ["user"];
  const changed = comparedFields.some((field) => !isDeepStrictEqual(olds[field], news[field]));
  // A new address or host key of the server changes nothing for the person, but later operations need to know it.
  const moved = !isDeepStrictEqual(olds.server, news.server);
  return { changes: changed || moved || replaces.length > 0, replaces, deleteBeforeReplace: true };
}

/** Whether `containarium-ops move` has brought it there. A server that does not answer proves nothing. */
async function livesOn({ server, user }: ContainerInputs): Promise<boolean> {
  try {
    const { status } = await onServer(server, (connected) => getContainer(connected, user));
    return status !== "half-made" && status !== "moving";
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

async function create(inputs: ContainerInputs): Promise<dynamic.CreateResult<ContainerOutputs>> {
  try {
    const container = await converge(inputs);
    return { id: container.name, outs: outputsOf(inputs, container) };
  } catch (error) {
    if (!(error instanceof ContainariumError) || error.leftBehind === undefined) throw error;
    // Half made: in the state it is known, and the next update completes it.
    const half = { id: containerName(inputs.user), properties: { ...inputs, ip: "", hostKeys: [] } };
    throw Object.assign(error, half, { reasons: [error.message] });
  }
}

/** What is. A container is gone only when its server says so; a server that does not answer proves nothing. */
async function read(id: string, props: ContainerOutputs): Promise<dynamic.ReadResult<ContainerOutputs>> {
  try {
    const actual = await onServer(props.server, (server) => getContainer(server, props.user));
    const { cpu, memory, diskQuota, processes, autostart, docker, snapshotSchedule, snapshotExpiry } = actual;
    const given = Object.fromEntries(
      Object.entries({ cpu, memory, diskQuota, processes, autostart, docker, snapshotSchedule, snapshotExpiry }).filter(
        ([field]) => props[field as keyof ContainerOutputs] !== undefined,
      ),
    );
    return { id, props: { ...props, ...given, ip: actual.ip, hostKeys: actual.hostKeys } };
  } catch (error) {
    if (error instanceof NotFoundError) return {};
    if (error instanceof UnreachableError) return { id, props };
    throw error;
  }
}

async function update(
  _id: string,
  _olds: ContainerOutputs,
  news: ContainerInputs,
): Promise<dynamic.UpdateResult<ContainerOutputs>> {
  return { outs: outputsOf(news, await converge(news)) };
}

async function remove(_id: string, props: ContainerOutputs): Promise<void> {
  try {
    await onServer(props.server, (server) => deleteContainer(server, props.user));
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    throw new UnreachableError(`${props.user} cannot be deleted: ${error.message}`, {
      server: props.server.name,
      cause: error,
      remedy:
        "Bring the server back first:  pulumi up\n" +
        "If it is gone for good, forget the person (the data disk stays):  pulumi state delete URN",
    });
  }
}

/** Makes it, completes it, or adopts what is there and brings keys and limits to what is wanted. */
async function converge(inputs: ContainerInputs): Promise<Container> {
  const options = { ifExists: "adopt", createdBy: "pulumi" } as const;
  await passCreationGate(inputs.user);
  return await onServer(inputs.server, (server) => createContainer(server, specOf(inputs), options));
}

/** The provider bounds its own concurrency per server: the engine does not. */
function onServer<T>(address: ServerAddress, work: (server: Server) => Promise<T>): Promise<T> {
  const limit = limits.get(address.name) ?? pLimit(operationsPerServer);
  limits.set(address.name, limit);
  return limit(() => withServer(address, { identityBaseDirectory: projectDirectory() }, work));
}

function specOf(spec: ContainerInputs): ContainerSpec {
  const { user, sshKeys, image, cpu, memory, diskQuota, processes } = spec;
  const { autostart, docker, snapshotSchedule, snapshotExpiry } = spec;
  return {
    user,
    sshKeys,
    image,
    cpu,
    memory,
    diskQuota,
    processes,
    autostart,
    docker,
    snapshotSchedule,
    snapshotExpiry,
  };
}

function outputsOf(inputs: ContainerInputs, container: Container): ContainerOutputs {
  return { ...inputs, ip: container.ip, hostKeys: container.hostKeys };
}
