import { createHash } from "node:crypto";
import type { Devices, Image } from "../../ops/incus/types";

export interface FakeFile {
  type: "file" | "directory" | "symlink";
  content: string;
  uid: number;
  gid: number;
  mode: number;
}

export interface FakeInstance {
  name: string;
  status: "Running" | "Stopped";
  created_at: string;
  /** When it was started last. */
  last_used_at: string;
  config: Record<string, string>;
  devices: Devices;
  files: Map<string, FakeFile>;
  diskUsage: number;
  memoryUsage: number;
  processes: number;
  snapshots: FakeSnapshot[];
}

/** What is kept of an instance. */
export type FakeSnapshot = Pick<FakeInstance, "name" | "created_at" | "config" | "devices" | "files"> & {
  expires_at?: string;
};

export interface FakeOperation {
  description: string;
  /** Answers of `wait`, one after the other; the last one stays. */
  answers: { status_code: number; err?: string }[];
  /** What it leaves behind. */
  metadata?: Record<string, unknown>;
}

export class Refusal extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export interface Reply {
  metadata?: unknown;
  etag?: string;
  operation?: FakeOperation;
  raw?: { headers: Record<string, string>; body: string | Buffer };
}

/** Told by `wait` with HTTP status 200 (6.0.4). */
export class OperationFailure extends Refusal {}

export function done(description: string): Reply {
  return { operation: { description, answers: [{ status_code: 200 }] } };
}

export function failing(description: string, err: string, status_code = 500): Reply {
  return { operation: { description, answers: [{ status_code, err }] } };
}

export function present(instance: FakeInstance) {
  const { files: _files, diskUsage, memoryUsage, processes, snapshots, ...rest } = instance;
  return {
    ...rest,
    type: "container",
    description: "",
    architecture: "x86_64",
    profiles: [],
    expanded_config: rest.config,
    expanded_devices: rest.devices,
    snapshots: snapshots.length === 0 ? null : snapshots.map(presentSnapshot),
    state: {
      status: rest.status,
      pid: 1,
      processes,
      memory: { usage: memoryUsage, usage_peak: memoryUsage },
      cpu: { usage: 2_500_000_000 },
      started_at: "2026-11-23T12:00:00Z",
      disk: { root: { usage: diskUsage } },
      network: null,
    },
  };
}

/** As in a list: one that Incus cannot read has its name, and nothing else. */
export function presentInList(instance: FakeInstance) {
  const whole = present(instance);
  if (whole.config["user.containarium.user"] !== "unreadable") return whole;
  return { name: whole.name, type: "container", status: "Error", config: null, devices: null, snapshots: null, state: null }; // prettier-ignore
}

export function presentSnapshot({ name, created_at, expires_at = "0001-01-01T00:00:00Z" }: FakeSnapshot) {
  return { name, created_at, expires_at };
}

export function etagOf({ config, devices }: FakeInstance): string {
  return `"${createHash("sha256")
    .update(JSON.stringify([config, devices]))
    .digest("hex")}"`;
}

export function directory(): FakeFile {
  return { type: "directory", content: "", uid: 0, gid: 0, mode: 0o755 };
}

export function number(header: string | string[] | undefined): number {
  return Number(header ?? 0);
}

export function goldenImage(name: string, bakedAt: string): Image {
  return {
    fingerprint: createHash("sha256").update(name).digest("hex"),
    aliases: [{ name: `containarium/${name}`, description: "" }],
    properties: { "containarium.baked-at": bakedAt },
    size: 1e8,
    created_at: bakedAt,
    uploaded_at: bakedAt,
  };
}
