import type { Instance } from "../incus/types";
import { parseMark, type MoveMark } from "../moves/mark";
import { readSchedule, type SnapshotSchedule } from "../snapshots/schedule-text";
import { KEY, parseCpuAllowance } from "./instance-config";

/** What Incus' config says about a container of ours: the source of truth. */
export interface ContainerRecord {
  user: string;
  name: string;
  /**
   * `creating` until its SSH has answered once. `leaving`: all of it is on another server by now, and nothing starts here
   * any more; `arriving`: it is that other one, and its SSH has not answered yet.
   */
  state: "creating" | "ready" | "leaving" | "arriving";
  /** Key lines, `type base64 comment`. */
  keys: string[];
  /** Key lines from before a change of keys that was not completed. */
  staleKeys: string[];
  address: string;
  image: string;
  cpu: number;
  memory: string;
  diskQuota: string;
  processes: number;
  autostart: boolean;
  docker: boolean;
  schedule: SnapshotSchedule;
  hostKeys: string[];
  createdAt: string;
  run: string | undefined;
  move: MoveMark | undefined;
  /** The server that it came from, while something of it may be there. */
  movedFrom: string | undefined;
}

const STATES = ["ready", "leaving", "arriving"] as const;

/** Reads an instance's config; undefined when the instance is not ours (no marker). */
export function readRecord(instance: Instance): ContainerRecord | undefined {
  const { config, devices } = instance;
  const user = config[KEY.user];
  if (config[KEY.schema] === undefined || user === undefined || user === "") return undefined;
  return {
    user,
    name: instance.name,
    state: STATES.find((state) => state === config[KEY.state]) ?? "creating",
    keys: parseList(config[KEY.keys]),
    staleKeys: parseList(config[KEY.staleKeys]),
    address: devices["eth0"]?.["ipv4.address"] ?? "",
    image: config[KEY.image] ?? "",
    cpu: parseCpuAllowance(config["limits.cpu.allowance"]),
    memory: config["limits.memory"] ?? "",
    diskQuota: devices["root"]?.["size"] ?? "",
    processes: Number(config["limits.processes"]) || 0,
    autostart: config["boot.autostart"] === "true",
    docker: config[KEY.docker] === "true",
    schedule: readSchedule(config),
    hostKeys: parseList(config[KEY.hostKeys]),
    createdAt: config[KEY.createdAt] ?? instance.created_at,
    run: config[KEY.run],
    move: parseMark(config[KEY.move]),
    movedFrom: config[KEY.movedFrom],
  };
}

function parseList(text: string | undefined): string[] {
  try {
    const value: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  } catch {
    return [];
  }
}
