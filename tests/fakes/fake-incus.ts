import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Devices, Image, Network } from "../../ops/incus/types";
import {
  directory,
  done,
  etagOf,
  failing,
  goldenImage,
  number,
  OperationFailure,
  present,
  presentInList,
  presentSnapshot,
  Refusal,
  type FakeFile,
  type FakeInstance,
  type FakeOperation,
  type Reply,
} from "./fake-incus-replies";
import { archiveOf, readArchiveOf } from "./fake-archive";
import { fakeHostKey } from "./keys";

const running = { status_code: 103 };

/**
 * A stateful Incus: enough of its REST API on a unix socket, with the quirks of 6.0.4 that we rely on (a taken name is
 * told by the operation, a failed operation answers `wait` with HTTP 200 and type `error`, two instances may have one
 * address).
 *
 * What goes wrong is said by the user's name: `slow-image` (it is not there at once), `fail-image`, `fail-user`, `fail-keys`, `fail-start`, `fail-ready`,
 * `no-account` (it never makes its user), `stuck` (neither starts nor can be deleted), `slow-start` (the first waits run out of time), `never-start`, `raced`
 * (somebody else makes it first), `raced-closely` (and is not done yet), `twin` (somebody else takes the same address), `late-twin` (and starts with it first),
 * `changed` (changed between read and write), `unreadable` (lists only name it).
 */
export class FakeIncus {
  readonly instances = new Map<string, FakeInstance>();
  /** `METHOD path` of every request. */
  readonly requests: string[] = [];
  /** What somebody else has asked for, and is under way. */
  readonly atWork: { description: string; status_code: number; resources: Record<string, string[]> }[] = [];
  /** `NAME: COMMAND` of every program that was run inside an instance. */
  readonly executed: string[] = [];
  /** What a program prints, by its command line. */
  readonly outputs = new Map<string, string>();
  /** The same for what is not known in advance; undefined: see `outputs`. */
  onExec: (instance: FakeInstance, command: string[]) => string | undefined = () => undefined;
  /** Its own config. */
  readonly config: Record<string, string> = {};
  /** Of containers that it does not know, and whether somebody's files are on them. */
  readonly leftDisks = new Map<string, "empty" | "used">();
  /** Instances without a disk, of an Incus that was killed. */
  readonly missingDisks = new Set<string>();
  /** Archives that lie on the server. */
  backups = 0;
  connections = 0;
  images: Image[] = [goldenImage("debian/13", "2026-11-20T10:00:00Z")];
  network: Network = {
    name: "incusbr0",
    type: "bridge",
    managed: true,
    status: "Created",
    config: { "ipv4.address": "10.0.3.1/24" },
    used_by: [],
  };
  private readonly operations = new Map<string, FakeOperation>();
  /** What will be refused, once each. */
  readonly refusals: { request: string; path: string | null; message: string }[] = [];
  private readonly triggered = new Set<string>();
  private server: Server | undefined;

  async listen(socketPath: string): Promise<void> {
    this.server = createServer((request, response) => {
      void this.answer(request).then(({ status, headers, body }) => response.writeHead(status, headers).end(body));
    });
    this.server.on("connection", () => (this.connections += 1));
    await new Promise<void>((resolve) => this.server!.listen(socketPath, resolve));
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  address(): AddressInfo | string | null {
    return this.server?.address() ?? null;
  }

  /** The instance of a user, by its config. */
  of(user: string): FakeInstance | undefined {
    return [...this.instances.values()].find(({ config }) => config["user.containarium.user"] === user);
  }

  at(address: string): FakeInstance | undefined {
    return [...this.instances.values()].find(({ devices }) => devices["eth0"]?.["ipv4.address"] === address);
  }

  /** Addresses where SSH greets. */
  greeting(): string[] {
    return [...this.instances.values()]
      .filter(
        ({ status, config }) =>
          status === "Running" && !["mute", "no-sshd"].includes(config["user.containarium.user"] ?? ""),
      ) // prettier-ignore
      .map(({ devices }) => devices["eth0"]?.["ipv4.address"] ?? "");
  }

  add(instance: Partial<FakeInstance> & { name: string }): FakeInstance {
    const whole: FakeInstance = {
      status: "Stopped",
      created_at: "2026-11-23T12:00:00Z",
      last_used_at: "2026-11-23T12:00:00Z",
      config: {},
      devices: {},
      files: new Map([
        ["/etc", directory()],
        ["/etc/ssh", directory()],
      ]),
      diskUsage: 5e8,
      memoryUsage: 1e8,
      processes: 20,
      snapshots: [],
      ...instance,
    };
    this.instances.set(whole.name, whole);
    return whole;
  }

  /** The next such request fails; `path` is that of a file inside. */
  refuseNext(request: string, path: string | null = null, message = "no space left on device"): void {
    this.refusals.push({ request, path, message });
  }

  private refuse(request: string, path: string | null): void {
    const index = this.refusals.findIndex((wanted) => wanted.request === request && wanted.path === path);
    if (index < 0) return;
    const [refusal] = this.refusals.splice(index, 1);
    throw new Refusal(500, refusal!.message);
  }

  private async answer(
    request: IncomingMessage,
  ): Promise<{ status: number; headers: Record<string, string>; body: string | Buffer }> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const body = bytes.toString("utf8");
    const url = new URL(request.url ?? "/", "http://incus");
    this.requests.push(`${request.method} ${url.pathname}`);
    try {
      this.refuse(`${request.method} ${url.pathname}`, url.searchParams.get("path"));
      const reply = request.headers["x-incus-name"]
        ? this.import(String(request.headers["x-incus-name"]), bytes)
        : await this.route(`${request.method}`, url, body, request.headers);
      if (reply.raw !== undefined) return { status: 200, ...reply.raw };
      const headers = { "content-type": "application/json", ...(reply.etag === undefined ? {} : { etag: reply.etag }) };
      if (reply.operation === undefined) {
        return {
          status: 200,
          headers,
          body: JSON.stringify({ type: "sync", status_code: 200, metadata: reply.metadata ?? null }),
        };
      }
      const id = randomUUID();
      this.operations.set(id, reply.operation);
      const operation = `/1.0/operations/${id}`;
      return {
        status: 202,
        headers,
        body: JSON.stringify({ type: "async", status_code: 100, operation, metadata: {} }),
      };
    } catch (error) {
      const code = error instanceof Refusal ? error.code : 500;
      const status = error instanceof OperationFailure ? 200 : code;
      return {
        status,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ type: "error", error_code: code, error: (error as Error).message }),
      };
    }
  }

  private async route(method: string, url: URL, body: string, headers: IncomingMessage["headers"]): Promise<Reply> {
    const [, , resource, name = "", part, ...rest] = url.pathname.split("/").map(decodeURIComponent);
    if (resource === undefined) return this.self(method, body);
    if (resource === "operations" && name === "") return { metadata: { running: this.atWork } };
    if (resource === "operations") return this.operation(method, name, part ?? "");
    if (resource === "images") return { metadata: this.images };
    if (resource === "networks" && name === this.network.name) return { metadata: this.network };
    if (resource !== "instances" || (rest.length > 0 && !["logs", "snapshots", "backups"].includes(part ?? "")))
      throw new Refusal(404, "not found");
    if (name === "") {
      if (method === "POST") return this.create(JSON.parse(body));
      return { metadata: [...this.instances.values()].map(presentInList) };
    }
    const instance = this.instances.get(name);
    if (instance === undefined)
      throw new Refusal(404, `Failed to fetch instance "${name}" in project "default": Instance not found`);
    const user = instance.config["user.containarium.user"] ?? "";
    if (part === "files" && this.missingDisks.has(name))
      throw new Refusal(500, `open /var/lib/incus/containers/${name}/rootfs: no such file or directory`);
    if (part === "files") return this.file(method, instance, user, url.searchParams.get("path") ?? "", body, headers);
    if (part === "state" && method === "PUT") return this.setState(instance, user, JSON.parse(body));
    if (part === "logs" && method === "GET")
      return { raw: { headers: { "content-type": "text/plain" }, body: this.outputs.get(rest[0] ?? "") ?? "" } };
    if (part === "logs") return {};
    if (part === "exec") return this.exec(instance, JSON.parse(body));
    if (part === "state") return { metadata: present(instance).state };
    if (part === "backups") return this.backup(method, instance, rest);
    if (part === "snapshots") return this.snapshot(method, instance, rest[0] ?? "", body);
    if (method === "PUT") return this.restore(instance, (JSON.parse(body) as { restore: string }).restore);
    if (method === "PATCH") return this.patch(instance, user, JSON.parse(body), headers["if-match"]);
    if (method === "DELETE") return this.remove(instance, user);
    return { metadata: present(instance), etag: etagOf(instance) };
  }

  private self(method: string, body: string): Reply {
    if (method === "PATCH") Object.assign(this.config, (JSON.parse(body) as { config: Record<string, string> }).config);
    for (const [key, value] of Object.entries(this.config)) if (value === "") delete this.config[key];
    return { metadata: { environment: { server_version: "6.0.4" }, api_extensions: [], config: this.config } };
  }

  private create(body: { name: string; config: Record<string, string>; devices: Devices; profiles?: string[] }): Reply {
    const user = body.config["user.containarium.user"] ?? "";
    if (body.profiles?.length !== 0) throw new Refusal(400, "the fake has no profiles");
    if (user.startsWith("raced") && this.once(user))
      this.add({ name: body.name, config: { ...body.config, "user.containarium.run": "other" } });
    if (user === "twin" && this.once(user))
      this.add({ name: "twin-of-somebody", devices: structuredClone(body.devices) });
    if (user === "raced-closely")
      return failing(
        "Creating instance",
        'Failed creating instance record: Instance is busy running a "create" operation',
      );
    if (this.instances.has(body.name)) {
      return failing(
        "Creating instance",
        'Failed creating instance record: Add instance info to the database: Failed to create "instances" entry: UNIQUE constraint failed: instances.project_id, instances.name',
      );
    }
    // As with ZFS; with btrfs it only fails.
    if (this.leftDisks.delete(body.name))
      return failing(
        "Creating instance",
        `Failed to run: zfs clone: cannot create '${body.name}': dataset already exists`,
      );
    if (user === "fail-image")
      return failing("Creating instance", "Failed creating instance from image: disk quota exceeded");
    const wanted = { name: body.name, config: { ...body.config }, devices: structuredClone(body.devices ?? {}) };
    if (user === "slow-image") {
      setTimeout(() => this.add(wanted), 150);
      return {
        operation: { description: "Creating instance", answers: [running, running, running, { status_code: 200 }] },
      };
    }
    this.add(wanted);
    return done("Creating instance");
  }

  private import(name: string, archive: Buffer): Reply {
    if (this.instances.has(name)) return failing("Restoring backup", `Instance "${name}" already exists`, 409);
    const { config, devices, files } = readArchiveOf(archive);
    // 6.0.4 takes the address for wrong before it looks at anything else.
    const subnet = this.network.config["ipv4.address"]!.replace(/\d+\/24$/, "");
    if (!devices["eth0"]?.["ipv4.address"]?.startsWith(subnet))
      return failing("Restoring backup", 'Device IP address not within network "incusbr0" subnet');
    this.add({ name, config, devices, files });
    return done("Restoring backup");
  }

  private backup(method: string, instance: FakeInstance, [name, part]: string[]): Reply {
    if (method === "POST") {
      this.backups += 1;
      return done("Backing up instance");
    }
    if (method === "DELETE") {
      this.backups -= 1;
      return done(`Deleting backup ${name}`);
    }
    if (part !== "export") throw new Refusal(404, "not found");
    return { raw: { headers: { "content-type": "application/octet-stream" }, body: archiveOf(instance) } };
  }

  private snapshot(method: string, instance: FakeInstance, name: string, body: string): Reply {
    const { snapshots } = instance;
    if (method === "GET") return { metadata: snapshots.map(presentSnapshot) };
    if (method === "DELETE") {
      instance.snapshots = snapshots.filter((one) => one.name !== name);
      return done("Deleting snapshot");
    }
    const { config, devices, files } = instance;
    const wanted = JSON.parse(body) as { name: string; expires_at?: string };
    snapshots.push({ ...wanted, created_at: new Date().toISOString(), ...structuredClone({ config, devices, files }) });
    return done("Snapshotting instance");
  }

  private restore(instance: FakeInstance, name: string): Reply {
    const { config, devices, files } = instance.snapshots.find((one) => one.name === name)!;
    Object.assign(instance, structuredClone({ config, devices, files }));
    return done("Restoring snapshot");
  }

  private setState(instance: FakeInstance, user: string, change: { action: string; force?: boolean }): Reply {
    const { action, force } = change;
    if (action === "start") {
      if (instance.status === "Running") return failing("Starting instance", "The instance is already running", 400);
      if (user === "late-twin" && this.once("twin")) {
        const twin = 'Failed start validation for device "eth0": IP address "10.0.3.10" already defined on another NIC';
        return failing("Starting instance", twin);
      }
      if (user === "fail-start" || user === "stuck")
        return failing("Starting instance", "Failed to run: forkstart: exit status 1");
      if (user === "never-start")
        return { operation: { description: "Starting instance", answers: [{ status_code: 103 }] } };
      this.boot(instance);
      const answers = user === "slow-start" ? [running, running, { status_code: 200 }] : [{ status_code: 200 }];
      return { operation: { description: "Starting instance", answers } };
    }
    if (instance.status === "Stopped") return failing("Stopping instance", "The instance is already stopped", 400);
    if (!force && instance.config["user.note"] === "never stops by itself")
      return failing("Stopping", 'Failed shutting down instance, status is "Running": context deadline exceeded');
    instance.status = "Stopped";
    return done("Stopping instance");
  }

  /** Programs do nothing here; `executed` has the command lines, and `outputs` what they print. */
  private exec(instance: FakeInstance, request: { command: string[]; "record-output": boolean }): Reply {
    if (instance.status !== "Running") throw new Refusal(400, "Instance is not running");
    const command = request.command.join(" ");
    this.executed.push(`${instance.name}: ${command}`);
    const said = this.onExec(instance, request.command);
    const log = said === undefined ? command : `exec-${this.executed.length}`;
    if (said !== undefined) this.outputs.set(log, said);
    const output = { 1: `/1.0/instances/${instance.name}/logs/${encodeURIComponent(log)}` };
    const metadata = { return: 0, ...(request["record-output"] && { output }) };
    return { operation: { description: "Executing command", answers: [{ status_code: 200 }], metadata } };
  }

  /** What containarium-user.service does in the golden image. */
  private boot(instance: FakeInstance): void {
    instance.status = "Running";
    const key = "/etc/ssh/ssh_host_ed25519_key.pub";
    const who = instance.files.get("/etc/containarium/user.json");
    if (who === undefined) return;
    const { user } = JSON.parse(String(who.content)) as { user: string };
    const account = user === "no-account" ? "" : `${user}:x:1000:1000::/home/${user}:/bin/bash\n`;
    const passwd = `root:x:0:0:root:/root:/bin/bash\n${account}`;
    instance.files.set("/etc/passwd", { ...directory(), type: "file", content: passwd, mode: 0o644 });
    if (instance.files.has(key)) return;
    instance.files.set(key, { ...directory(), type: "file", content: `${fakeHostKey()} root@golden\n`, mode: 0o644 });
  }

  private patch(
    instance: FakeInstance,
    user: string,
    body: { config?: Record<string, string>; devices?: Devices },
    ifMatch?: string,
  ): Reply {
    if (user === "changed" && ifMatch !== undefined && this.once(user))
      instance.config["user.note"] = "somebody was here";
    if (ifMatch !== undefined && ifMatch !== etagOf(instance)) throw new Refusal(412, "ETag doesn't match");
    if (user === "fail-ready" && body.config?.["user.containarium.state"] === "ready")
      throw new Refusal(500, "database is locked");
    Object.assign(instance.config, body.config);
    Object.assign(instance.devices, body.devices);
    for (const [key, value] of Object.entries(instance.config)) if (value === "") delete instance.config[key];
    return {};
  }

  private remove(instance: FakeInstance, user: string): Reply {
    if (instance.status === "Running") throw new Refusal(400, "Instance is running");
    // What 6.0.4 says for most of a second after a start that failed.
    if (user === "fail-start" && this.once("busy")) {
      throw new Refusal(500, 'Failed to create instance delete operation: Instance is busy running a "stop" operation');
    }
    if (user === "fail-start" && this.once("still running")) throw new Refusal(400, "Instance is running");
    if (user === "stuck") return failing("Deleting instance", "dataset is busy");
    if (this.missingDisks.has(instance.name))
      return failing(
        "Deleting instance",
        "Error deleting storage volume: ERROR: Not a Btrfs subvolume: Invalid argument",
      );
    this.instances.delete(instance.name);
    return done("Deleting instance");
  }

  private file(
    method: string,
    instance: FakeInstance,
    user: string,
    path: string,
    body: string,
    headers: IncomingMessage["headers"],
  ): Reply {
    const found = instance.files.get(path);
    if (method === "POST") {
      if (user === "fail-user" && path.endsWith("user.json")) throw new Refusal(500, "no space left on device");
      if (user === "fail-keys" && path.includes("authorized_keys.d/"))
        throw new Refusal(500, "no space left on device");
      if (!instance.files.has(path.slice(0, path.lastIndexOf("/")))) throw new Refusal(404, "Not Found");
      const type = headers["x-incus-type"] as FakeFile["type"];
      // Overwriting keeps owner and mode.
      const { uid, gid, mode } = found ?? {
        uid: number(headers["x-incus-uid"]),
        gid: number(headers["x-incus-gid"]),
        mode: parseInt(String(headers["x-incus-mode"]), 8),
      };
      instance.files.set(path, { type, content: body, uid, gid, mode });
      return {};
    }
    if (found === undefined) throw new Refusal(404, "Not Found");
    if (method === "DELETE") {
      instance.files.delete(path);
      return {};
    }
    const { type, uid, gid, mode, content } = found;
    const own = {
      "x-incus-type": type,
      "x-incus-uid": `${uid}`,
      "x-incus-gid": `${gid}`,
      "x-incus-mode": `0${mode.toString(8)}`,
    };
    return { raw: { headers: { "content-type": "application/octet-stream", ...own }, body: content } };
  }

  private async operation(method: string, id: string, part: string): Promise<Reply> {
    const operation = this.operations.get(id);
    if (operation === undefined) throw new Refusal(404, "not found");
    if (method === "DELETE") {
      this.operations.delete(id);
      return {};
    }
    const isWait = part === "wait";
    const answer = isWait && operation.answers.length > 1 ? operation.answers.shift()! : operation.answers[0]!;
    // A wait that runs out of time looks like a failure; the operation itself says that it goes on (6.0.4).
    if (isWait && answer.status_code === 103) throw new OperationFailure(500, "context deadline exceeded");
    if (answer.status_code >= 400) throw new OperationFailure(answer.status_code, answer.err ?? "");
    if (answer.status_code === 200) this.operations.delete(id);
    return {
      metadata: {
        id,
        description: operation.description,
        status: "",
        status_code: answer.status_code,
        metadata: operation.metadata ?? null,
        err: "",
      },
    };
  }

  private once(what: string): boolean {
    if (this.triggered.has(what)) return false;
    this.triggered.add(what);
    return true;
  }
}
