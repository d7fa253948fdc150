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
}

export type HelperOp = keyof HelperProtocol;
export type HelperRequest<Op extends HelperOp = HelperOp> = Op extends HelperOp
  ? { op: Op } & HelperProtocol[Op]["request"]
  : never;
export type HelperResult<Op extends HelperOp> = HelperProtocol[Op]["result"];

export type HelperErrorCode = "invalid" | "not-found" | "conflict" | "locked" | "failed";
