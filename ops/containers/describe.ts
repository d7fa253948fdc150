import { fingerprintOf, type KeySummary } from "../keys/public-key";
import type { Container, ContainerStatus } from "./container";
import type { ContainerRecord } from "./record";

/** From the source of truth to what people and programs see. */
export function describeContainer(record: ContainerRecord, status: ContainerStatus, server: string): Container {
  return {
    user: record.user,
    name: record.name,
    server,
    status,
    ip: record.address,
    image: record.image,
    cpu: record.cpu,
    memory: record.memory,
    diskQuota: record.diskQuota,
    processes: record.processes,
    autostart: record.autostart,
    docker: record.docker,
    ...record.schedule,
    keys: record.keys.map(summarizeLine),
    hostKeys: record.hostKeys,
    createdAt: record.createdAt,
  };
}

/** What is known about a container from outside its config. */
export interface Evidence {
  /** Status of the instance, in Incus' words. */
  instance: string;
  /** The jump account: undefined when there is none. */
  account: { target: string } | undefined;
  /** Whether SSH answers in the container; `unknown` when the server does not let us look. */
  ssh: "answers" | "silent" | "unknown";
  /** When it was started last. */
  startedAt?: string;
}

/** Until then a silent SSH is no sign of trouble. [M] 0.5 s from start to banner; a server after its boot starts many. */
const STARTING_MS = 60_000;

/** `running` is promised only when the whole way is there. */
export function statusOf(record: ContainerRecord, evidence: Evidence, now = Date.now()): ContainerStatus {
  const { instance, account, ssh, startedAt } = evidence;
  if (record.state === "creating") return "half-made";
  if (record.state !== "ready") return "moving";
  if (instance === "Stopped") return "stopped";
  if (instance !== "Running") return "error";
  const isReachable = account?.target === record.address && ssh !== "silent";
  if (isReachable) return "running";
  const isNew = Math.abs(now - Date.parse(startedAt ?? "")) < STARTING_MS;
  return isNew && account?.target === record.address ? "starting" : "no-ssh";
}

function summarizeLine(line: string): KeySummary {
  const [type = "", blob = "", ...comment] = line.split(" ");
  return { type, fingerprint: fingerprintOf(blob), comment: comment.join(" ") };
}
