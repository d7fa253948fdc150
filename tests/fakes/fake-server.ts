import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Server as SshServer, utils, type AuthContext, type Connection, type ServerChannel } from "ssh2";
import type { ServerAddress } from "../../ops/fleet/inventory";
import { HELPER_COMMAND, INCUS_BRIDGE_COMMAND } from "../../ops/host/commands";
import { FakeHelper } from "./fake-helper";
import { FakeIncus } from "./fake-incus";
import { keyPair } from "./keys";

export interface FakeServer {
  /** How to reach it; its identityFile is that of the administrator. */
  address: ServerAddress;
  incus: FakeIncus;
  helper: FakeHelper;
  /** A directory for the test's own files. */
  directory: string;
  /** Commands that were run, in order. */
  commands: string[];
  /** SSH connections that logged in. */
  logins: number;
  /** TCP connections that were asked for over SSH. */
  dials: number;
  /** So many sessions are refused, as sshd does with more than MaxSessions. */
  fullFor: number;
  /** What its sshd and sudo do; change it while it runs. `forwarding` counts for connections made afterwards. */
  behaviour: { sudo: "works" | "asks"; helper: "works" | "missing" | "garbage"; forwarding: "allowed" | "forbidden" };
  /** Cuts every connection. */
  cut(): void;
  /** Stops its sshd and its Incus; nobody answers there any more. */
  stop(): Promise<void>;
  /** Stops it, and removes its files. */
  close(): Promise<void>;
}

/** A jump server in this process: a real SSH server on loopback before a fake Incus and a fake host helper. */
export async function startFakeServer(name = "jump-1"): Promise<FakeServer> {
  const directory = await mkdtemp(join(tmpdir(), "containarium-fake-"));
  const socket = join(directory, "incus.socket");
  const incus = new FakeIncus();
  await incus.listen(socket);
  const helper = new FakeHelper(incus, name);
  const hostKey = keyPair();
  const admin = keyPair();
  const identityFile = join(directory, "admin_key");
  await writeFile(identityFile, admin.privateKey, { mode: 0o600 });
  const connections = new Set<Connection>();

  const ssh = new SshServer({ hostKeys: [hostKey.privateKey] }, (connection) => {
    connections.add(connection);
    connection.on("close", () => connections.delete(connection));
    connection.on("error", () => undefined);
    connection.on("authentication", (context) => authenticate(context, admin.publicKey));
    connection.on("ready", () => (fake.logins += 1));
    connection.on("session", (accept, reject) => {
      if (fake.fullFor > 0) {
        fake.fullFor -= 1;
        return reject();
      }
      accept().on("exec", (acceptExec, _reject, { command }) => {
        fake.commands.push(command);
        run(command, acceptExec(), fake, socket);
      });
    });
    (connection as unknown as { _sock: Socket })._sock.setNoDelay(true);
    // Without a listener ssh2 answers as sshd does where forwarding is off: "administratively prohibited".
    if (fake.behaviour.forwarding === "forbidden") return;
    connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
      fake.dials += 1;
      const instance = incus.at(destIP);
      const user = instance?.config["user.containarium.user"];
      if (destPort !== 22 || instance?.status !== "Running" || user === "mute") return reject();
      accept().end(user === "no-sshd" ? "220 mail\r\n" : "SSH-2.0-OpenSSH_10.0\r\n");
    });
  });
  await new Promise<void>((resolve) => ssh.listen(0, "127.0.0.1", resolve));
  const { port } = ssh.address() as { port: number };

  const fake: FakeServer = {
    address: { name, address: "127.0.0.1", port, adminUser: "admin", hostKeys: [hostKey.publicKey], identityFile },
    incus,
    helper,
    directory,
    commands: [],
    logins: 0,
    dials: 0,
    fullFor: 0,
    behaviour: { sudo: "works", helper: "works", forwarding: "allowed" },
    cut() {
      for (const connection of connections) (connection as unknown as { _sock: Socket })._sock.destroy();
    },
    async stop() {
      fake.cut();
      await new Promise((resolve) => ssh.close(resolve));
      await incus.close();
    },
    async close() {
      await fake.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return fake;
}

function authenticate(context: AuthContext, allowedKey: string): void {
  const allowed = utils.parseKey(allowedKey);
  if (allowed instanceof Error) throw allowed;
  if (context.method !== "publickey" || context.username !== "admin") return context.reject(["publickey"]);
  const isKnown = context.key.data.equals(allowed.getPublicSSH());
  const isProven =
    context.signature === undefined ||
    (context.blob !== undefined && allowed.verify(context.blob, context.signature, context.hashAlgo) === true);
  if (isKnown && isProven) context.accept();
  else context.reject(["publickey"]);
}

function run(command: string, channel: ServerChannel, fake: FakeServer, socket: string): void {
  channel.on("error", () => undefined);
  if (fake.behaviour.sudo === "asks") return end(channel, 1, "sudo: a password is required\n");
  if (command === INCUS_BRIDGE_COMMAND) return bridge(channel, socket);
  if (command !== HELPER_COMMAND) return end(channel, 127, `sudo: ${command}: command not found\n`);
  if (fake.behaviour.helper === "missing") {
    return end(channel, 1, "sudo: /usr/local/sbin/containarium-host: command not found\n");
  }
  createInterface({ input: channel }).on("line", (line) => {
    if (fake.behaviour.helper === "garbage")
      return end(channel, 1, "Traceback (most recent call last):\nKeyError: 'x'\n");
    const [number = ""] = line.split(" ", 1);
    channel.write(`${number} ${JSON.stringify(fake.helper.answer(line.slice(number.length)))}\n`);
  });
  channel.on("end", () => end(channel, 0));
}

function bridge(channel: ServerChannel, socket: string): void {
  const incus = connect(socket);
  incus.on("error", () => end(channel, 1, "nc: unix connect failed: Connection refused\n"));
  incus.on("connect", () => {
    channel.pipe(incus);
    incus.on("data", (chunk) => channel.write(chunk));
    incus.on("end", () => end(channel, 0));
    channel.on("close", () => incus.destroy());
  });
}

function end(channel: ServerChannel, code: number, stderr = ""): void {
  if (stderr !== "") channel.stderr.write(stderr);
  channel.exit(code);
  channel.end();
}
