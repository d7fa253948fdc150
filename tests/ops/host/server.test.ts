import { execFileSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { createServer, Socket } from "node:net";
import { join } from "node:path";
import { createContainer, openServer, withServer, type Server } from "../../../ops";
import { fingerprintOf } from "../../../ops/keys/public-key";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { ALICE_KEY, keyPair } from "../../fakes/keys";

let fake: FakeServer;
beforeEach(async () => {
  fake = await startFakeServer();
});
afterEach(() => fake.close());

describe("openServer", () => {
  it("logs in once and serves Incus and the helper over that one connection", async () => {
    await withServer(fake.address, {}, async (server) => {
      expect((await server.incus.server()).environment.server_version).toBe("6.0.4");
      expect(await server.helper({ op: "server.status" })).toMatchObject({ name: "jump-1", ready: true });
      await server.incus.instances.list();
    });
    expect(fake.logins).toBe(1);
    expect(fake.incus.connections).toBe(1);
  });

  it("starts the helper once, and again when it has ended", async () => {
    const helpers = () => fake.commands.filter((command) => command.endsWith("containarium-host serve")).length;
    await withServer(fake.address, {}, async (server) => {
      await Promise.all([server.helper({ op: "server.status" }), server.helper({ op: "account.list" })]);
      await server.helper({ op: "server.status" });
      expect(helpers()).toBe(1);
      fake.behaviour.helper = "garbage";
      await expect(server.helper({ op: "server.status" })).rejects.toThrow(/gave no answer: KeyError/);
      fake.behaviour.helper = "works";
      expect(await server.helper({ op: "server.status" })).toMatchObject({ ready: true });
      expect(helpers()).toBe(2);
    });
  });

  it("waits where the server has as many sessions as it allows", async () => {
    await withServer(fake.address, {}, async (server) => {
      fake.fullFor = 3;
      expect(await server.helper({ op: "server.status" })).toMatchObject({ ready: true });
      fake.fullFor = 2;
      expect((await server.incus.server()).environment.server_version).toBe("6.0.4");
    });
    expect(fake.fullFor).toBe(0);
  });

  it("turns Nagle's algorithm off, which costs 40 ms per round trip", async () => {
    const setNoDelay = jest.spyOn(Socket.prototype, "setNoDelay");
    const server = await openServer(fake.address);
    const ours = setNoDelay.mock.contexts.filter((socket) => (socket as Socket).remotePort === fake.address.port);
    expect(ours).toHaveLength(1);
    setNoDelay.mockRestore();
    await server.close();
  });

  it("finds the identity file from the base directory", async () => {
    const address = { ...fake.address, identityFile: "admin_key" };
    await withServer(address, { identityBaseDirectory: fake.directory }, (server) => server.incus.server());
  });

  it("refuses another host key and shows both fingerprints", async () => {
    const pinned = keyPair().publicKey;
    const failure = openServer({ ...fake.address, hostKeys: [pinned] });
    const shown = fingerprintOf(fake.address.hostKeys[0]!.split(" ")[1]!);
    const expected = fingerprintOf(pinned.split(" ")[1]!);
    await expect(failure).rejects.toMatchObject({ kind: "authentication", expected: [expected], presented: shown });
    await expect(failure).rejects.toThrow(new RegExp(`${escape(expected)}.*${escape(shown)}`));
    expect(fake.logins).toBe(0);
  });

  it("refuses a server that has no key of a pinned type", async () => {
    const failure = openServer({ ...fake.address, hostKeys: ["ecdsa-sha2-nistp256 AAAAE2VjZHNh"] });
    await expect(failure).rejects.toMatchObject({ name: "HostKeyError", presented: "no key of that type" });
  });

  it("takes any of several pinned keys", async () => {
    const address = { ...fake.address, hostKeys: [keyPair().publicKey, ...fake.address.hostKeys] };
    await withServer(address, {}, (server) => server.incus.server());
  });

  it("says when the key is not the administrator's", async () => {
    const identityFile = join(fake.directory, "other");
    await writeFile(identityFile, keyPair().privateKey);
    const failure = openServer({ ...fake.address, identityFile });
    await expect(failure).rejects.toMatchObject({
      kind: "authentication",
      message: expect.stringContaining(identityFile),
    });
  });

  it.each([
    ["missing", "no such file"],
    ["garbage", "Unsupported key format"],
    ["encrypted", "has a passphrase"],
    ["public", "it is a public key"],
  ])("says when the identity file is %s", async (what, message) => {
    const identityFile = join(fake.directory, what);
    if (what === "garbage") await writeFile(identityFile, "banana");
    if (what === "public") await writeFile(identityFile, ALICE_KEY);
    if (what === "encrypted") execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", identityFile]);
    const agent = process.env["SSH_AUTH_SOCK"];
    delete process.env["SSH_AUTH_SOCK"];
    try {
      const failure = openServer({ ...fake.address, identityFile });
      await expect(failure).rejects.toMatchObject({ kind: "authentication", remedy: expect.any(String) });
      await expect(failure).rejects.toThrow(new RegExp(message, "i"));
    } finally {
      if (agent !== undefined) process.env["SSH_AUTH_SOCK"] = agent;
    }
  });

  it("says that nobody listens", async () => {
    const port = await freePort();
    const failure = openServer({ ...fake.address, port });
    await expect(failure).rejects.toMatchObject({
      kind: "unreachable",
      server: "jump-1",
      message: expect.stringContaining("connection refused"),
    });
  });

  it("says that the name is not known", async () => {
    const failure = openServer({ ...fake.address, address: "no-such-host.invalid" });
    await expect(failure).rejects.toMatchObject({ kind: "unreachable", message: expect.stringContaining("name") });
  });

  it("gives up on a server that accepts and says nothing", async () => {
    const silent = createServer((socket) => socket.on("error", () => undefined).resume());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const failure = openServer({ ...fake.address, port }, { connectTimeoutMs: 200 });
    await expect(failure).rejects.toMatchObject({ kind: "unreachable", message: expect.stringContaining("in time") });
    silent.close();
  });

  it("says that sshd closed the connection (a ban, or too many at once)", async () => {
    const closing = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => closing.listen(0, "127.0.0.1", resolve));
    const { port } = closing.address() as { port: number };
    await expect(openServer({ ...fake.address, port })).rejects.toMatchObject({
      kind: "unreachable",
      remedy: expect.stringContaining("banned"),
    });
    closing.close();
  });

  it("stops connecting when the caller gives up", async () => {
    await expect(openServer(fake.address, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      kind: "interrupted",
    });
  });
});

describe("an open server", () => {
  let server: Server;
  beforeEach(async () => {
    server = await openServer(fake.address);
  });
  afterEach(() => server.close());

  it("says that Incus is down", async () => {
    await fake.incus.close();
    await rm(join(fake.directory, "incus.socket"), { force: true });
    const failure = server.incus.instances.list();
    await expect(failure).rejects.toMatchObject({
      name: "IncusUnavailableError",
      kind: "unreachable",
      server: "jump-1",
      message: expect.stringContaining("nothing listens"),
      remedy: expect.stringContaining("systemctl status incus"),
    });
  });

  it("says so from a create too, with nothing changed", async () => {
    await fake.incus.close();
    await expect(createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] })).rejects.toMatchObject({
      kind: "unreachable",
    });
    expect(fake.helper.accounts.size).toBe(0);
  });

  it("says that the connection broke, and stays so", async () => {
    await server.incus.server();
    fake.cut();
    await expect(server.incus.server()).rejects.toMatchObject({ kind: "unreachable", server: "jump-1" });
    await expect(server.helper({ op: "server.status" })).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringContaining("broke"),
    });
  });

  it("says that sudo asks for a password", async () => {
    fake.behaviour.sudo = "asks";
    await expect(server.helper({ op: "server.status" })).rejects.toMatchObject({ kind: "authentication" });
    await expect(server.incus.server()).rejects.toMatchObject({ kind: "authentication" });
  });

  it("says that the server is not set up", async () => {
    fake.behaviour.helper = "missing";
    await expect(server.helper({ op: "server.status" })).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringContaining("not set up"),
    });
  });

  it("says that the helper crashed, in its last line and not in twenty", async () => {
    fake.behaviour.helper = "garbage";
    await expect(server.helper({ op: "server.status" })).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/KeyError: 'x'$/),
    });
  });

  it("asks several things at once", async () => {
    const asked = Array.from({ length: 12 }, () => server.helper({ op: "server.status" }));
    const listed = Array.from({ length: 12 }, () => server.incus.instances.list());
    await Promise.all([...asked, ...listed]);
    expect(fake.incus.connections).toBeLessThanOrEqual(4);
  });

  it("refuses work after it was closed", async () => {
    await server.close();
    await expect(server.helper({ op: "server.status" })).rejects.toMatchObject({ kind: "unreachable" });
  });
});

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
