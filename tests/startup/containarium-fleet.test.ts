import { once } from "node:events";
import * as net from "node:net";

import { until } from "../until";
import { addressOf, balancerAddress, FleetSandbox, get, instance, Peer, PORT } from "./fleet-sandbox";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAxYMvpV/ari0kdpfUjQl33M38YVH1eIIjnQZX+O2Ir0 alice@laptop";

jest.setTimeout(60_000);

let server: FleetSandbox;
let sshd: net.Server;
let sshPort: number;
const peers: Peer[] = [];
const sockets: net.Socket[] = [];

beforeEach(async () => {
  server = new FleetSandbox();
  sshd = net.createServer().listen(0, "127.0.0.1");
  await once(sshd, "listening");
  sshPort = (sshd.address() as net.AddressInfo).port;
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.remove();
  sshd.close();
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

const start = (options: object = {}) => server.startService({ SSH_PORT: sshPort, ...options });
const becomeReady = () => server.write("run/containarium/ready", "{}");
const accounts = async () =>
  (await server.ask({ op: "account.list" })).result.accounts.map(({ user, home }) => `${user} ${home}`);

describe("GET /readyz", () => {
  test("says 200 when startup is through and everything is there, and why it does not", async () => {
    const incus = await server.startIncus();
    await start();
    expect(await get("/readyz")).toMatchObject({ status: 503, body: "the startup is not through" });
    becomeReady();
    await until(async () => (await get("/readyz")).status === 200, 10, "readiness");
    expect(await get("/readyz")).toMatchObject({ status: 200, body: "ready" });

    server.write("run/containarium/draining", "");
    await until(async () => (await get("/readyz")).body === "draining", 10, "draining to be noticed");
    server.removeFile("run/containarium/draining");
    await until(async () => (await get("/readyz")).status === 200, 10, "readiness again");

    incus.kill("SIGKILL");
    await until(async () => (await get("/readyz")).body === "Incus does not answer", 5, "a dead Incus to be noticed");
    await server.startIncus();
    await until(async () => (await get("/readyz")).status === 200, 10, "readiness with a new Incus");

    sshd.close();
    await until(
      async () => /nothing listens on port/.test((await get("/readyz")).body),
      10,
      "sshd's end to be noticed",
    );
  });

  test("needs the data disk: a folder that is no mount point does not count", async () => {
    await server.startIncus();
    becomeReady();
    await start({ MOUNTS: [server.root] });
    expect(await get("/readyz")).toMatchObject({ status: 503, body: `${server.root} is not mounted` });
  });

  test.each([
    ["never answers", 0],
    ["never comes to an end of its answer", 300],
  ])("an Incus that %s is not there; one look for all who ask, and nobody waits long for it", async (_how, every) => {
    const asked: net.Socket[] = [];
    const mute = net.createServer((socket) => {
      asked.push(socket.on("error", () => undefined));
      const drip = every > 0 ? setInterval(() => socket.write("x"), every) : undefined;
      socket.on("close", () => clearInterval(drip));
    });
    mute.listen(`${server.root}/var/lib/incus/unix.socket`);
    await once(mute, "listening");
    becomeReady();
    await start({ POLL_SECONDS: 600 });
    // The first round of the service asks for its own instances.
    await until(() => asked.length === 1, 10, "the first round");
    const answers = await Promise.all(Array.from({ length: 8 }, () => get("/readyz")));
    expect(asked).toHaveLength(2);
    for (const socket of asked) socket.destroy();
    mute.close();
    for (const { status, milliseconds } of answers) {
      expect(status).toBe(503);
      expect(milliseconds).toBeLessThan(6000);
    }
  });

  test("an end comes at once, and as an end", async () => {
    const { child } = await start();
    const ended = once(child, "close");
    child.kill("SIGTERM");
    expect((await ended)[0]).toBe(0);
    await expect(get("/readyz")).rejects.toThrow(/ECONNREFUSED/);
  });
});

describe("GET /accounts", () => {
  const people = [instance("alice", "10.0.3.10", [KEY]), instance("half", "10.0.3.11", [KEY], "creating")];

  test("tells a server of the fleet who lives here and is complete, as that one will read it", async () => {
    await server.startIncus(people);
    await start();
    const { status, body } = await get("/accounts", { from: addressOf(2) });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      schema: 1,
      name: "jump-1",
      accounts: [{ user: "alice", keys: [KEY], target: "10.0.3.10" }],
    });
  });

  test("tells nobody else: not a balancer, not who comes over loopback", async () => {
    await server.startIncus(people);
    await start();
    for (const from of [balancerAddress, "127.0.0.1", addressOf(0), addressOf(241)]) {
      expect(await get("/accounts", { from })).toMatchObject({ status: 403 });
    }
  });

  test("says 503 while Incus is silent, and never that nobody lives here", async () => {
    await start();
    expect((await get("/accounts", { from: addressOf(2) })).status).toBe(503);
  });
});

test("there is nothing else to ask for", async () => {
  await start();
  for (const where of ["/", "/readyz/", "/readyz?x", "/accounts/..", "//readyz"]) {
    expect((await get(where)).status).toBe(404);
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
    expect((await get("/readyz", { method })).status).toBe(405);
});

describe("somebody hostile", () => {
  const connect = async (from: string, text = ""): Promise<net.Socket> => {
    const socket = net.connect({ host: addressOf(1), port: PORT, localAddress: from });
    sockets.push(socket);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    if (text !== "") socket.write(text);
    return socket;
  };
  const closed = (socket: net.Socket) => socket.destroyed || socket.readableEnded;

  test("with hundreds of connections that say nothing keeps no health check waiting", async () => {
    await server.startIncus();
    becomeReady();
    await start();
    const flood = await Promise.all(Array.from({ length: 400 }, () => connect(addressOf(9), "GET /readyz HTT")));
    for (const socket of flood) socket.resume();
    for (let round = 0; round < 5; round++) {
      const { status, milliseconds } = await get("/readyz", { from: balancerAddress });
      expect(status).toBe(200);
      expect(milliseconds).toBeLessThan(1500);
    }
    // All but a few are turned away at once, and those few when their time is up.
    await until(() => flood.filter((socket) => !closed(socket)).length <= 16, 10, "the flood to be turned away");
    await until(() => flood.every(closed), 10, "the slow ones to be cut off");
  });

  test("who sends a request without end is cut off", async () => {
    await start();
    const socket = await connect("127.0.0.1", `GET /readyz HTTP/1.1\r\nX: ${"x".repeat(100_000)}`);
    socket.resume();
    await until(() => closed(socket), 10, "the connection to be closed");
    expect((await get("/readyz")).status).toBe(503);
  });

  test("who sends nonsense gets no answer that helps, and others theirs", async () => {
    await start();
    for (const text of ["\r\n\r\n", "\0\0\r\n\r\n", "GET\r\n\r\n", `${"é".repeat(500)}\r\n\r\n`]) {
      const socket = await connect("127.0.0.1", text);
      let said = "";
      socket.on("data", (data) => (said += data));
      await until(() => closed(socket), 10, "the connection to be closed");
      expect(said).toMatch(/^(HTTP\/1\.1 40[45] |$)/);
    }
    expect((await get("/readyz")).status).toBe(503);
  });
});

describe("the service hears from its peers by itself", () => {
  const bob = { user: "bob", keys: [KEY], target: "10.0.4.10" };

  test("what changes there counts here within seconds, also when it comes from a new server that has asked us", async () => {
    await server.startIncus();
    const { logged } = await start();
    // Its first sweep found nobody. A new server's boot asks everybody.
    await until(
      () => /^$/.test(logged()) && server.calls().some(([program]) => program === "nft"),
      10,
      "the first sweep",
    );
    const peer = await new Peer(2).listen();
    peers.push(peer);
    peer.claims = [bob];
    expect((await get("/accounts", { from: addressOf(2) })).status).toBe(200);
    await until(async () => (await accounts()).includes("bob jump-2"), 12, "bob's account");
    peer.claims = [];
    await until(async () => !(await accounts()).includes("bob jump-2"), 12, "bob's account to be gone");
    expect(logged()).toMatch(/1 changed, 0 removed[^]*0 changed, 1 removed/);
  });

  test("what it refuses is said once, however often it comes", async () => {
    await server.startIncus();
    const peer = await new Peer(2).listen();
    peers.push(peer);
    peer.claims = [{ ...bob, target: "10.0.3.10" }];
    const { logged } = await start();
    await until(() => peer.askedFrom.length >= 3, 20, "three questions");
    expect(logged().match(/skipped/g)).toHaveLength(1);
    expect(logged()).toContain("10.0.3.10 is not the address of a container in 10.0.4.0/24");
  });
});

test("what the journal says about logins goes to the data disk, whether or not somebody asks", async () => {
  const record = { __CURSOR: "c", __REALTIME_TIMESTAMP: "1795788800426137", _BOOT_ID: "0".repeat(32), _UID: "0" };
  const says = (message: string) => `${JSON.stringify({ ...record, _PID: "7", MESSAGE: message })}\n`;
  server.write("journal", says("Invalid user oracle from 203.0.113.9 port 5"));
  await start();
  const kept = () => server.read("srv/containarium/state/audit/failures.jsonl") ?? "";
  await until(() => kept().includes('"user": "oracle"'), 10, "the record");
});
