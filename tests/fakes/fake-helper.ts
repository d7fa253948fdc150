import type {
  Ban,
  BanEvent,
  HelperRequest,
  ImageStatus,
  JumpAccount,
  LiveSession,
  RecordedEvent,
} from "../../ops/host/helper-protocol";
import type { Attempt } from "../../ops/doctor/attempt";
import type { ServerCheck } from "../../ops/doctor/check";
import type { FakeIncus } from "./fake-incus";

type Answer = { ok: true; result: unknown } | { ok: false; error: { code: string; message: string; remedy?: string } };

/**
 * A stateful host helper. What goes wrong is said by the user's name: `fail-account` (account.put fails), `half-account`
 * (account.put fails after it made the account), `fail-sessions` (sessions do not end), `foreign` is an account of the server, `fail-ssh` (SSH never answers), `wrong-host` (another machine answers).
 */
export class FakeHelper {
  readonly accounts = new Map<string, JumpAccount>();
  /** Whose disks were mended. */
  readonly mended: string[] = [];
  readonly foreign = new Set(["foreign"]);
  readonly requests: HelperRequest[] = [];
  /** The begins and ends of operations that it was told; not among `requests`. */
  readonly operations: HelperRequest<"audit.begin" | "audit.end">[] = [];
  /** What else it has on record. */
  events: RecordedEvent[] = [];
  sessions: LiveSession[] = [];
  bans: Ban[] = [];
  banEvents: BanEvent[] = [];
  fail2banRuns = true;
  /** Its disk is full: no operation can be recorded. */
  recordFull = false;
  poolBytes = 100e9;
  memoryBytes = 8e9;
  poolUsedBytes = 1e9;
  kernel: Record<string, number> = { "fs.inotify.max_user_instances": 8192, "kernel.pid_max": 4194304 };
  /** Answers of doctor.examine and access.verify. */
  checks: ServerCheck[] = [{ name: "Incus", state: "ok", detail: "answers", depends: [] }];
  attempts: Omit<Attempt, "server">[] = [
    { attempt: "a shell", expected: "refused by sshd", result: "refused by sshd", ok: true },
  ];
  /** Seconds by which its clock is ahead. */
  clockAhead = 0;
  /** Peers that this server does not hear. */
  silentPeers: { server: string; reason: string }[] = [];
  /** What `image.status` says of the bake; one state for each time it is asked, the last one stays. */
  bakes: ImageStatus["bake"][] = [{ state: "none", steps: [] }];
  imageVersion = "1";
  /** Whether its startup is through. */
  ready = true;
  /** Boots so far. */
  boots = 1;
  /** What happens when the server ends; it has booted again afterwards. */
  onDie: () => void = () => undefined;
  /** What hearing from its peers changes. */
  onPull: () => void = () => undefined;

  /** False where the helper is older. */
  knowsProbe = true;

  constructor(
    private readonly incus: FakeIncus,
    private readonly name: string,
  ) {}

  answer(input: string): Answer {
    let request: HelperRequest;
    try {
      request = JSON.parse(input) as HelperRequest;
    } catch {
      return failure("invalid", "the request is not JSON");
    }
    if (request.op === "audit.begin" || request.op === "audit.end") return this.recordOperation(request);
    this.requests.push(request);
    switch (request.op) {
      case "audit.read":
        return success({
          events: this.events.filter(({ time, user }) => time >= request.since && time <= request.until && (request.user === "" || user === request.user)), // prettier-ignore
          leftOff: 0,
        });
      case "sessions.list":
        return success({ sessions: this.sessions });
      case "bans.list":
        return success({ running: this.fail2banRuns, bans: this.bans });
      case "bans.history":
        return success({ history: this.banEvents, leftOff: 0 });
      case "bans.add":
        return this.ban(request);
      case "bans.remove": {
        const before = this.bans.length;
        this.bans = this.bans.filter(({ address }) => address !== request.address);
        return success({ removed: this.bans.length < before });
      }
      case "create.mend":
        if (this.incus.leftDisks.get(`${request.user}-container`) === "used")
          return failure("failed", "there is a disk with somebody's files");
        return success({ mended: this.incus.leftDisks.delete(`${request.user}-container`) });
      case "disk.mend":
        return success({ missing: this.incus.missingDisks.delete(request.name) });
      case "restore.mend":
        if (this.incus.of(request.user)?.status === "Running") return failure("conflict", `${request.user} runs`);
        this.mended.push(request.user);
        return success({ mended: true });
      case "files.mend":
        return success({ mended: true });
      case "account.check":
        return success({
          state: this.foreign.has(request.user) ? "foreign" : this.accounts.has(request.user) ? "ours" : "free",
          home: this.accounts.get(request.user)?.home,
        });
      case "account.put":
        return this.put(request);
      case "account.remove":
        if (this.foreign.has(request.user)) return failure("conflict", `${request.user} is not a jump account`);
        return success({ removed: this.accounts.delete(request.user) });
      case "account.endSessions":
        if (request.user === "fail-sessions") return failure("failed", "processes of uid 70000 do not end: [42]");
        return success({ ended: this.accounts.has(request.user) ? 1 : 0 });
      case "account.list":
        return success({ accounts: [...this.accounts.values()] });
      case "path.verify":
        return this.verify(request);
      case "ssh.probe":
        return this.knowsProbe ? success({ answers: this.incus.greeting() }) : failure("invalid", "unknown operation");
      case "server.status":
        return success(this.status());
      case "server.boot":
        return success({ boot: `boot-${this.boots}` });
      case "server.die":
        return this.die(request.name);
      case "rebuild":
        return success({ accounts: this.accounts.size, changed: 0, removed: 0, skipped: [] });
      case "peers.pull":
        this.onPull();
        return success({ accounts: this.accounts.size, changed: 0, removed: 0, answered: [], silent: this.silentPeers, skipped: [] }); // prettier-ignore
      case "peers.forget":
        return success({ accounts: this.accounts.size, changed: 0, removed: 0, skipped: [], forgotten: true });
      case "doctor.examine":
        return this.examine(request);
      case "access.verify":
        if (!this.accounts.has(request.user)) return failure("not-found", `there is no jump account ${request.user}`);
        return success({ attempts: this.attempts });
      case "image.status":
        return success({
          image: "debian/13",
          version: this.imageVersion,
          bake: this.bakes.length > 1 ? this.bakes.shift() : this.bakes[0],
        });
      case "image.bake":
        return success({ started: true });
      default:
        return failure("invalid", "unknown op");
    }
  }

  private recordOperation(request: HelperRequest<"audit.begin" | "audit.end">): Answer {
    if (this.recordFull) return failure("failed", "OSError: [Errno 28] No space left on device");
    this.operations.push(request);
    return success({});
  }

  /** 192.0.2.0/24 is never banned. */
  private ban({ address, seconds }: { address: string; seconds: number }): Answer {
    if (address.startsWith("192.0.2."))
      return failure("conflict", `${address} is one of containarium:neverBan: it is not banned`);
    const since = new Date();
    const until = new Date(since.getTime() + seconds * 1000).toISOString();
    const ban = { address, by: "administrator", since: since.toISOString(), until, enforced: true };
    this.bans.push(ban);
    return success(ban);
  }

  private examine({ user }: { user: string | null }): Answer {
    const home = this.accounts.get(user ?? "")?.home ?? null;
    return success({ name: this.name, time: Date.now() / 1000 + this.clockAhead, home, checks: this.checks });
  }

  private put({ user, keys, target }: { user: string; keys: string[]; target: string }): Answer {
    if (this.foreign.has(user))
      return failure("conflict", `${user} is an account of this server`, "Choose another name.");
    if (user === "fail-account") return failure("failed", "useradd: cannot lock /etc/passwd");
    const before = this.accounts.get(user);
    const account = { user, uid: before?.uid ?? 2000 + this.accounts.size, target, keys, home: "here" };
    this.accounts.set(user, account);
    if (user === "half-account") return failure("failed", "cannot write authorized keys");
    const changed = JSON.stringify(before) !== JSON.stringify(account);
    return success({ created: before === undefined, changed, uid: account.uid });
  }

  private verify({ user, target }: { user: string; target: string }): Answer {
    const instance = this.incus.at(target);
    const open = this.accounts.get(user)?.target === target && instance?.status === "Running";
    if (!open || user === "fail-ssh") return failure("failed", `no SSH banner from ${target}: connection refused`);
    const key = instance.files.get("/etc/ssh/ssh_host_ed25519_key.pub")?.content.split(" ").slice(0, 2).join(" ") ?? "";
    const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    return success({ banner: "SSH-2.0-OpenSSH_10.0", hostKeys: [user === "wrong-host" ? other : key] });
  }

  private die(name: string): Answer {
    if (name !== this.name) return failure("invalid", `this is ${this.name}`);
    this.boots += 1;
    setImmediate(() => this.onDie());
    return success({ ends: "restart" });
  }

  private status() {
    return {
      name: this.name,
      schema: 1,
      ready: this.ready,
      startupHash: "0".repeat(64),
      storage: "btrfs",
      hostKeys: [],
      pool: { totalBytes: this.poolBytes, usedBytes: this.poolUsedBytes },
      memory: { totalBytes: this.memoryBytes, availableBytes: this.memoryBytes / 2 },
      accounts: this.accounts.size,
      kernel: this.kernel,
      tasks: 300,
    };
  }
}

function success(result: unknown): Answer {
  return { ok: true, result };
}

function failure(code: string, message: string, remedy?: string): Answer {
  return { ok: false, error: { code, message, remedy } };
}
