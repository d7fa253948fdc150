import type { Attempt } from "../doctor/attempt";
import type { ServerCheck } from "../doctor/check";

/** What the host helper (`/usr/local/sbin/containarium-host`) can be asked, and what it answers. */
export interface HelperProtocol {
  /** `ours`: its primary group is containarium-jump; `home` then says where its container is. */
  "account.check": { request: { user: string }; result: { state: "free" | "ours" | "foreign"; home?: Home } };
  /** Makes the jump account, or makes it agree. `target` is the only address it may forward to. */
  "account.put": {
    request: { user: string; keys: string[]; target: string };
    result: { created: boolean; changed: boolean; uid: number };
  };
  /** Ends its sessions and removes it; fine when there is none. */
  "account.remove": { request: { user: string }; result: { removed: boolean } };
  /** Cuts what is logged in with that account; it stays. `ended` counts processes. */
  "account.endSessions": { request: { user: string }; result: { ended: number } };
  "account.list": { request: object; result: { accounts: JumpAccount[] } };
  /** Addresses of running containers where SSH greets at once. One that is missing may only have been slow: look again. */
  "ssh.probe": { request: object; result: { answers: string[] } };
  /** Goes the user's own way, through the jump account, until an SSH banner comes; to any server's container. */
  "path.verify": {
    request: { user: string; target: string; timeoutSeconds: number };
    result: { banner: string; hostKeys: string[] };
  };
  "server.status": { request: object; result: ServerStatus };
  /** Which boot this is: another one after every boot. Answers at once, whatever else is starting. */
  "server.boot": { request: object; result: { boot: string } };
  /**
   * Ends the machine at once, without warning and unsynced, as a preemption does; `name` must be its own. A system
   * container starts again by itself; a VM is switched off where somebody starts it again (Spot), and reset elsewhere.
   */
  "server.die": { request: { name: string }; result: { ends: "restart" | "power-off" | "reset" } };
  /** Makes the jump accounts exactly those of the instances in Incus and of the other servers' people, as last heard. */
  rebuild: { request: object; result: AccountChanges };
  /** Asks all other servers of the fleet who lives there, at once, and then does the same. */
  "peers.pull": {
    request: object;
    result: AccountChanges & {
      /** Names of the servers that answered. */
      answered: string[];
      /** Servers that have answered before and do not now: what they said last still counts. */
      silent: { server: string; reason: string }[];
    };
  };
  /** Forgets what a server said that is gone for good; one that answers after all is heard again. */
  "peers.forget": { request: { server: string }; result: AccountChanges & { forgotten: boolean } };
  /** What is recorded between two moments (ISO 8601), oldest first; `user` empty: of everybody. */
  "audit.read": {
    request: { since: string; until: string; user: string };
    result: { events: RecordedEvent[]; leftOff: number };
  };
  /** An operation on somebody's container begins; `user` and `detail` may be empty. The server adds who asks. */
  "audit.begin": { request: { id: string; operation: string; user: string; detail: string }; result: object };
  "audit.end": {
    request: { id: string; result: "done" | "failed" | "interrupted"; message: string };
    result: object;
  };
  "sessions.list": { request: object; result: { sessions: LiveSession[] } };
  "bans.list": { request: object; result: { running: boolean; bans: Ban[] } };
  "bans.history": {
    request: { since: string; until: string };
    result: { history: BanEvent[]; leftOff: number };
  };
  /** Done when the kernel refuses that address. */
  "bans.add": { request: { address: string; seconds: number }; result: Ban };
  "bans.remove": { request: { address: string }; result: { removed: boolean } };
  /**
   * Gives a copy on its way here, which is nobody's home, an empty disk in place of one that is broken: Incus does not
   * remove it otherwise. `mended` is false where its disk is a disk.
   */
  "copy.mend": { request: { user: string }; result: { mended: boolean } };
  /**
   * Takes away the disk that a server which died in the middle of a copy of its image has left without an instance: to be
   * asked before one of that name is made. `mended` is false where there is none. One with somebody's files is kept, and
   * refused.
   */
  "create.mend": { request: { user: string }; result: { mended: boolean } };
  /**
   * Gives a stopped container an empty disk in place of one that is missing: Incus does not remove it otherwise. One whose
   * disk is there is left as it is. Somebody's files in place of a disk are kept, and refused.
   */
  "disk.mend": { request: { name: string }; result: { missing: boolean } };
  /**
   * Takes away, or puts back, the disk that an Incus that was killed in the middle of a restore has left aside: it cannot
   * try again otherwise. `mended` is false where there is none.
   */
  "restore.mend": { request: { user: string }; result: { mended: boolean } };
  /** Ends Incus' process for a container's files, when nobody reaches it. `mended` is false where there is none. */
  "files.mend": { request: { name: string }; result: { mended: boolean } };
  /** Looks at all that has to be well on this server. `peers`: those it must hear; null: those it knows. */
  "doctor.examine": {
    request: { user: string | null; peers: readonly string[] | null };
    result: {
      name: string;
      /** Its clock, in seconds since 1970. */
      time: number;
      /** Where the person's container is; null when nobody knows them. */
      home: Home | null;
      checks: ServerCheck[];
    };
  };
  /** Tries what a jump account must not do. */
  "access.verify": {
    request: { user: string };
    result: { attempts: Omit<Attempt, "server">[]; fleetSubnet?: string };
  };
  /** The golden image that the startup files want, and the bake that was asked for last. */
  "image.status": { request: object; result: ImageStatus };
  /** Begins to bake; it goes on without us. `started` is false where one was under way already. */
  "image.bake": { request: { image: string }; result: { started: boolean } };
}

/** `here`, or the name of the server where the person's container is. */
export type Home = "here" | (string & {});

export interface AccountChanges {
  /** How many there are now. */
  accounts: number;
  changed: number;
  removed: number;
  /** What was refused: of this server's own Incus (`instance`), or of what another server says. */
  skipped: { instance?: string; server?: string; user?: string; reason: string }[];
}

export interface JumpAccount {
  user: string;
  uid: number;
  target: string;
  keys: string[];
  home: Home;
}

/** A login, a login that failed, or what was done to a container, as the server has it on its data disk. */
export type RecordedEvent =
  | {
      event: "login";
      time: string;
      user: string;
      address: string;
      port: number;
      /** Type and fingerprint. */
      key: string;
      /** The one address, port 22, that the account could reach at that time; absent for an administrator. */
      target?: string;
      endedAt?: string;
      /** So many more like it came in the same minute. */
      more?: number;
    }
  | {
      event: "failed-login";
      time: string;
      /** Chosen by whoever knocks. */
      user: string;
      reason: string;
      address: string;
      port: number;
      more?: number;
    }
  | {
      event: "operation";
      time: string;
      operation: string;
      user?: string;
      detail?: string;
      /** `not-ended`: it runs, or was killed. */
      result: "done" | "failed" | "interrupted" | "not-ended";
      message?: string;
      endedAt?: string;
      /** The account on the server that asked for it, and from which address. */
      by: string;
      address?: string;
    };

/** Somebody who is connected to a jump account now, as the server's kernel knows it. */
export interface LiveSession {
  user: string;
  since: string;
  address: string;
  port: number;
  key?: string;
  /** All that it could open. */
  target?: string;
  /** Where it has a connection open now. */
  openTo: string[];
}

export interface Ban {
  address: string;
  /** `administrator`, or fail2ban's jail: `sshd`. */
  by: string;
  since?: string;
  until?: string;
  /** Whether the kernel refuses the address. False: fail2ban only says so. */
  enforced: boolean;
}

export interface BanEvent {
  time: string;
  event: "banned" | "lifted";
  address: string;
  by: string;
  until?: string;
}

export interface ServerStatus {
  name: string;
  schema: 1;
  ready: boolean;
  startupHash: string;
  storage: string;
  hostKeys: string[];
  pool: { totalBytes: number; usedBytes: number };
  memory: { totalBytes: number; availableBytes: number };
  accounts: number;
  /** Kernel limits by name, those that this kernel knows. A server of an older version says nothing. */
  kernel?: Record<string, number>;
  /** Processes and threads that there are now. */
  tasks?: number;
}

export interface ImageStatus {
  /** Name, `debian/13`. */
  image: string;
  /** Of the startup files that it is baked with. */
  version: string;
  bake: {
    state: "none" | "running" | "done" | "failed";
    /** Titles, in order; the last one is under way while it runs. */
    steps: string[];
    /** Of `failed`: why. */
    message?: string;
  };
}

export type HelperOp = keyof HelperProtocol;
export type HelperRequest<Op extends HelperOp = HelperOp> = Op extends HelperOp
  ? { op: Op } & HelperProtocol[Op]["request"]
  : never;
export type HelperResult<Op extends HelperOp> = HelperProtocol[Op]["result"];

export type HelperErrorCode = "invalid" | "not-found" | "conflict" | "locked" | "failed";
