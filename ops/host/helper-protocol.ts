/** What the host helper (`/usr/local/sbin/containarium-host`) can be asked, and what it answers. */
export interface HelperProtocol {
  /** `ours`: its primary group is containarium-jump. */
  "account.check": { request: { user: string }; result: { state: "free" | "ours" | "foreign" } };
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
  /** Goes the user's own way, through the jump account, until an SSH banner comes. */
  "path.verify": {
    request: { user: string; target: string; timeoutSeconds: number };
    result: { banner: string; hostKeys: string[] };
  };
  "server.status": { request: object; result: ServerStatus };
  /** Makes the jump accounts exactly those that the instances in Incus say. */
  rebuild: { request: object; result: { accounts: number; changed: number; removed: number } };
}

export interface JumpAccount {
  user: string;
  uid: number;
  target: string;
  keys: string[];
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
