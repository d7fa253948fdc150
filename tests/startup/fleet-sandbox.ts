import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import path from "node:path";

import type { HelperAnswer } from "./answer";
import { HELPER, Sandbox } from "./sandbox";

export const FLEET = path.resolve(__dirname, "../../startup/containarium-fleet");
export const PORT = 8022;

/** Every test process has a network of its own on loopback, and in it every server an address of its own. */
const network = `127.${100 + Number(process.env["JEST_WORKER_ID"] ?? 1)}.${process.pid % 250}`;

export const addressOf = (server: number) => `${network}.${10 + server}`;
export const balancerAddress = `${network}.5`;

export const instance = (user: string, target: unknown, keys: unknown, state = "ready") => ({
  name: `${user}-container`,
  config: {
    "user.containarium.user": user,
    "user.containarium.keys": JSON.stringify(keys),
    "user.containarium.state": state,
  },
  devices: { eth0: { type: "nic", "ipv4.address": target } },
});

/** jump-1 as a folder, in a fleet. */
export class FleetSandbox extends Sandbox {
  private readonly children: ChildProcess[] = [];

  constructor(values: object = {}) {
    super();
    const own = { schema: 1, name: "jump-1", admin: { user: "boss" }, containerSubnet: "10.0.3.0/24" };
    this.write("etc/containarium/server.json", JSON.stringify({ ...own, fleetSubnet: `${network}.0/24`, ...values }));
  }

  /** Its Incus, with these instances; without, it is silent. */
  async startIncus(instances: unknown[] = []): Promise<ChildProcess> {
    this.setInstances(instances);
    const script = path.join(__dirname, "machine/fake_incus.py");
    const files = [`${this.root}/var/lib/incus/unix.socket`, `${this.root}/instances.json`];
    return this.start("python3", [script, ...files]);
  }

  setInstances(instances: unknown[]): void {
    this.write("instances.json", JSON.stringify(instances));
  }

  removeFile(name: string): void {
    rmSync(path.join(this.root, name));
  }

  /** The helper, while this process goes on: the peers that it asks are here. */
  async ask(request: unknown): Promise<HelperAnswer> {
    const child = spawn("python3", ["-I", path.join(__dirname, "sandbox.py"), HELPER, this.root]);
    let said = "";
    child.stdout.on("data", (data) => (said += data));
    child.stderr.on("data", (data) => (said += data));
    child.stdin.end(JSON.stringify(request));
    await once(child, "close");
    return JSON.parse(said) as HelperAnswer;
  }

  /** The fleet's service of this server, at its own address only. Its log comes with `logged`. */
  async startService(options: object = {}): Promise<{ child: ChildProcess; logged: () => string }> {
    const driver = path.join(__dirname, "sandbox.py");
    // The one of the test before was killed; until it is gone, its answers would pass for this one's.
    await until(
      async () => !(await listens(addressOf(1))),
      () => "an earlier service still answers",
    );
    const child = spawn("python3", ["-I", driver, HELPER, this.root, "--fleet", FLEET, JSON.stringify(options)]);
    this.children.push(child);
    let log = "";
    child.stderr.on("data", (data) => (log += data));
    await until(
      async () => child.exitCode === null && (await listens(addressOf(1))),
      () => `the service does not start: ${log}`,
    );
    return { child, logged: () => log };
  }

  private async start(program: string, args: string[]): Promise<ChildProcess> {
    const child = spawn(program, args);
    this.children.push(child);
    await once(child.stdout, "data");
    return child;
  }

  override remove(): void {
    for (const child of this.children) child.kill("SIGKILL");
    super.remove();
  }
}

async function until(condition: () => Promise<boolean>, otherwise: () => string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function listens(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port: PORT });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

export interface Claim {
  user: string;
  keys: unknown;
  target: string;
}

/** Another server of the fleet, as far as it answers to this one. */
export class Peer {
  claims: unknown[] = [];
  /** Instead of the claims: what it answers, word for word; `undefined` means that it never does. */
  reply: { status?: number; body: string } | "claims" | undefined = "claims";
  /** How long the next answers take on their way, in order; what they say was true at the beginning of it. */
  delays: number[] = [];
  askedFrom: (string | undefined)[] = [];
  private readonly server = http.createServer((request, response) => {
    this.askedFrom.push(request.socket.remoteAddress);
    if (this.reply === undefined) return;
    const own = { schema: 1, name: `jump-${this.id}`, accounts: this.claims };
    const { status = 200, body } = this.reply === "claims" ? { body: JSON.stringify(own) } : this.reply;
    setTimeout(() => response.writeHead(status).end(body), this.delays.shift() ?? 0);
  });

  constructor(readonly id: number) {}

  async listen(): Promise<this> {
    this.server.listen(PORT, addressOf(this.id));
    await once(this.server, "listening");
    return this;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export interface Reply {
  status: number;
  body: string;
  milliseconds: number;
}

/** A request to jump-1's service. */
export function get(where: string, { from = "127.0.0.1", method = "GET" } = {}): Promise<Reply> {
  const began = Date.now();
  return new Promise((resolve, reject) => {
    const options = { host: addressOf(1), port: PORT, path: where, method, localAddress: from, agent: false };
    const request = http.request(options, (response) => {
      let body = "";
      response.on("data", (data) => (body += data));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body: body.trim(), milliseconds: Date.now() - began }),
      );
    });
    request.on("error", reject).end();
  });
}
