import type { KeySummary } from "../keys/public-key";

/** What somebody wants: one person's container. The CLI, `pulumi up` and programs all speak in these terms. */
export interface ContainerSpec {
  /** Login name; `^[a-z][a-z0-9_-]{0,31}$`, not reserved (see user-name.ts). */
  user: string;
  /** Public keys in OpenSSH format (`type base64 comment`). At least one for a new person; none locks somebody out. */
  sshKeys: string[];
  /** Image to make it from. Default: the server's golden image. */
  image?: string;
  /** CPU time in cores (1 = 100ms of CPU per 100ms). Default 4. */
  cpu?: number;
  /** Memory limit, for example `4GiB`. Default `4GiB`. */
  memory?: string;
  /** Disk quota of the root file system, for example `20GB`. Default `20GB`. */
  diskQuota?: string;
  /** Processes and threads that it may have. Default 4096. */
  processes?: number;
  /** Start again when the server boots. Default true. */
  autostart?: boolean;
  /** Allow Docker inside (nesting). Default true. */
  docker?: boolean;
  /** When snapshots are made by themselves: `@daily` and its like, or five fields of cron. Default: never. */
  snapshotSchedule?: string;
  /** When those are deleted: `12h`, `30d`, `4w`. Default: never. */
  snapshotExpiry?: string;
}

/**
 * `running`: SSH answers through the jump account. `starting`: it was started less than a minute ago and SSH does not
 * answer yet. `no-ssh`: Incus runs it, SSH does not answer. `half-made`: a create was interrupted; run it again.
 * `moving`: it is being handed to another server; if nobody is at it any more, run the move again.
 */
export type ContainerStatus = "running" | "starting" | "no-ssh" | "stopped" | "half-made" | "moving" | "error";

/** What is. The shape of `--json` (CHANGELOG: a contract). */
export interface Container {
  user: string;
  /** `<user>-container` */
  name: string;
  server: string;
  status: ContainerStatus;
  ip: string;
  image: string;
  cpu: number;
  memory: string;
  diskQuota: string;
  /** The most processes and threads that it may have. */
  processes: number;
  autostart: boolean;
  docker: boolean;
  /** Absent: none are made by themselves. */
  snapshotSchedule?: string;
  /** Absent: those are kept. */
  snapshotExpiry?: string;
  keys: KeySummary[];
  /** The container's own SSH host keys, `type base64`. Empty while it has never run. */
  hostKeys: string[];
  /** ISO 8601, UTC. */
  createdAt: string;
}

/** A container with what it uses. */
export interface ContainerDetails extends Container {
  usage: {
    diskBytes: number;
    /** What its programs hold; caches, which the kernel gives back, are not counted. */
    memoryBytes: number;
    /** Since it was started. */
    cpuSeconds: number;
    processes: number;
  };
  /** ISO 8601, UTC; absent while it is stopped. */
  startedAt?: string;
  snapshots: SnapshotSummary[];
  /** ISO 8601, UTC: the last SSH login that the container's own journal knows of, if any. */
  lastLogin?: string;
}

export interface SnapshotSummary {
  name: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  /** ISO 8601, UTC; absent: it is kept until somebody deletes it. */
  expiresAt?: string;
}

/** The steps of a create, in order; `index` of `total`. */
export interface CreateStep {
  /** The same whatever the container is called. */
  name: "instance" | "image" | "user" | "keys" | "start" | "account" | "ssh";
  index: number;
  total: number;
  /** Short, in the past tense: "Created alice-container". */
  title: string;
  /** What is worth knowing: "golden 2026-11-20, 4 CPU, 4GiB, 20GB". */
  detail: string;
  milliseconds: number;
}
