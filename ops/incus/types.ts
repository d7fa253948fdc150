/**
 * The parts of Incus' REST API that we use, in its own words (doc/rest-api.md, Incus 6.0). Only fields that somebody
 * reads are named.
 */

export type Config = Record<string, string>;
export type Device = Record<string, string> & { type: string };
export type Devices = Record<string, Device>;

/** What every answer looks like. */
export interface Envelope {
  type: "sync" | "async" | "error";
  status?: string;
  status_code?: number;
  /** Path of the background operation of an `async` answer. */
  operation?: string;
  error_code?: number;
  error?: string;
  metadata: unknown;
}

export interface OperationData {
  id: string;
  description: string;
  status: string;
  /** 103 running, 200 success, 400 failure, 401 cancelled; see doc/rest-api.md "Standard return codes". */
  status_code: number;
  metadata: Record<string, unknown> | null;
  err: string;
  /** Paths of what it works on, by kind. */
  resources?: Record<string, string[]> | null;
}

export interface ServerInfo {
  config: Config;
  api_extensions: string[];
  auth: "trusted" | "untrusted";
  environment: { server_version: string; server_name: string; storage: string; kernel_version: string };
}

export interface Instance {
  name: string;
  type: "container" | "virtual-machine";
  status: "Running" | "Stopped" | "Frozen" | "Error" | "Starting" | "Stopping" | (string & {});
  description: string;
  architecture: string;
  created_at: string;
  /** When it was started last. */
  last_used_at: string;
  profiles: string[];
  config: Config;
  devices: Devices;
  expanded_config: Config;
  expanded_devices: Devices;
}

export interface InstanceState {
  status: string;
  pid: number;
  processes: number;
  /** ISO 8601; the year 1 while it is stopped. */
  started_at: string;
  /** Nanoseconds of CPU time since it was started. */
  cpu: { usage: number };
  memory: { usage: number; usage_peak: number; total?: number };
  disk: Record<string, { usage: number; total?: number }> | null;
  network: Record<string, { addresses: { family: "inet" | "inet6"; address: string; scope: string }[] }> | null;
}

/** What `recursion=2` gives for each instance. */
export interface InstanceFull extends Instance {
  state: InstanceState | null;
  snapshots: Snapshot[] | null;
}

export interface Snapshot {
  name: string;
  created_at: string;
  /** The year 1: never. */
  expires_at: string;
}

export interface InstanceSource {
  type: "image" | "none" | "copy";
  alias?: string;
  fingerprint?: string;
}

export interface NewInstance {
  name: string;
  type?: "container";
  description?: string;
  source: InstanceSource;
  /** A copy from another server must say it. */
  architecture?: string;
  config?: Config;
  devices?: Devices;
  /** `[]` is none at all; leaving it out is `["default"]`. */
  profiles?: string[];
}

/** What PUT takes whole and PATCH in parts. */
export type InstanceChange = Partial<
  Pick<Instance, "config" | "devices" | "description" | "profiles" | "architecture">
>;

export interface StateChange {
  action: "start" | "stop" | "restart" | "freeze" | "unfreeze";
  force?: boolean;
  /** Seconds until a clean stop is given up; -1 waits for ever. */
  timeout?: number;
}

export interface Image {
  fingerprint: string;
  aliases: { name: string; description: string }[];
  properties: Record<string, string>;
  size: number;
  created_at: string;
  uploaded_at: string;
}

export interface ImageAlias {
  name: string;
  description: string;
  target: string;
}

export interface Network {
  name: string;
  type: string;
  managed: boolean;
  status: string;
  config: Config;
  used_by: string[];
}

/** A value and the version of it that was read; give the etag back to change only that version. */
export interface Tagged<T> {
  value: T;
  etag: string;
}
