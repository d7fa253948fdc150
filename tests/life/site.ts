import { EventEmitter, once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import type { Logger } from "pino";

import {
  containerName,
  type InventoryServer,
  openServer,
  renderKnownHosts,
  renderSshConfig,
  type Server,
} from "../../ops";
import { describeContainer } from "../../ops/containers/describe";
import { readRecord } from "../../ops/containers/record";
import { waitFor } from "../../ops/wait";
import { type Result, run, succeed } from "../e2e/clone";
import type { TestFleet } from "../e2e/fleet";

/** The first server of a fleet under test, with one connection to it; and what people and administrators have at home. */
export class Site {
  private readonly moments = new EventEmitter();
  private open!: Server;
  private connections = 0;

  private constructor(
    readonly fleet: TestFleet,
    private readonly address: InventoryServer,
  ) {}

  static async of(fleet: TestFleet): Promise<Site> {
    const { stdout, stderr } = await fleet.pulumi("stack", "output", "inventory", "--json");
    const inventory = JSON.parse(stdout || `"${stderr}"`) as { servers: InventoryServer[] };
    const address = inventory.servers[0]!;
    const identityFile = path.resolve(fleet.clone, address.identityFile ?? "");
    writeFileSync(path.join(fleet.clone, "life_known_hosts"), address.hostKeys.map((key) => `${address.address} ${key}\n`).join("")); // prettier-ignore
    const site = new Site(fleet, { ...address, identityFile });
    site.open = await site.connect();
    return site;
  }

  get server(): Server {
    return this.open;
  }

  /** Resolves when an operation under way comes there next: when that was asked of the host helper, or that step done. */
  async moment(name: string): Promise<void> {
    await once(this.moments, name);
  }

  /** For those who wait for such a moment. */
  reached(name: string): void {
    this.moments.emit(name);
  }

  private connect(): Promise<Server> {
    const debug = ({ op }: { op?: string }) => op !== undefined && this.reached(op);
    return openServer(this.address, { logger: { debug, warn: () => undefined } as unknown as Logger });
  }

  /** A new connection, as soon as the server and its Incus answer. */
  async reopen(): Promise<void> {
    await this.open.close();
    this.open = await waitFor(
      async () => {
        const server = await this.connect().catch(() => undefined);
        if (server === undefined) return undefined;
        const answers = await server.incus.server().then(
          () => true,
          () => false,
        );
        if (answers) return server;
        await server.close();
        return undefined;
      },
      { timeoutMs: 180_000, intervalMs: 200, what: "the server and its Incus to answer" },
    );
  }

  close(): Promise<void> {
    return this.open.close();
  }

  /** `containarium-ops`' words for this server without a stack. */
  get target(): string[] {
    const { adminUser, address, identityFile = "" } = this.address;
    return ["--host", `${adminUser}@${address}`, "--known-hosts", "life_known_hosts", "--identity", identityFile];
  }

  file(name: string): string {
    return path.join(this.fleet.clone, name);
  }

  /** A key pair of a person's, made when it is first wanted; the private half is in that file, the public one beside it. */
  keyFile(user: string, key: number): string {
    const name = `${user}-${key}`;
    if (!existsSync(this.file(name))) this.fleet.newKey(name);
    return this.file(name);
  }

  /** `type base64 comment`. */
  publicKey(user: string, key: number): string {
    return readFileSync(`${this.keyFile(user, key)}.pub`, "utf8").trim();
  }

  /** OpenSSH as the person uses it, with one of their keys, to `<user>-dev` or `<user>-jump`. */
  async ssh(user: string, key: number, args: string[]): Promise<Result> {
    const { value } = await this.server.incus.instances.get(containerName(user));
    const container = describeContainer(readRecord(value)!, "running", this.server.name);
    // Several may be under way at once.
    const config = this.file(`life-${++this.connections}.conf`);
    const knownHostsFile = `${config}.known_hosts`;
    writeFileSync(knownHostsFile, renderKnownHosts(this.address, container));
    const keyFile = this.keyFile(user, key);
    writeFileSync(config, renderSshConfig({ user, server: this.address, container, keyFile, knownHostsFile }));
    const options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=30"];
    const result = await run(["ssh", "-F", config, ...options, ...args], { cwd: this.fleet.clone, timeoutMs: 90_000 });
    for (const file of [config, knownHostsFile]) rmSync(file);
    return result;
  }

  /** As root on the server, past all that is under test. */
  async sh(script: string): Promise<string> {
    const command = ["incus", "exec", this.fleet.machine, "--", "sh", "-c", script];
    return (await succeed(command, { cwd: this.fleet.clone, timeoutMs: 90_000 })).stdout;
  }
}
