import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IncusClient, unixSocketStream } from "../../../ops";
import { waitFor } from "../../../ops/wait";
import { FakeIncus } from "../../fakes/fake-incus";

let directory: string;
let socket: string;
let fake: FakeIncus;
let client: IncusClient;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "containarium-incus-"));
  socket = join(directory, "incus.socket");
  fake = new FakeIncus();
  await fake.listen(socket);
  client = new IncusClient(unixSocketStream(socket), { server: "jump-1" });
});
afterEach(async () => {
  await client.close();
  await fake.close();
  await rm(directory, { recursive: true, force: true });
});

const container = (user: string) => ({
  name: `${user}-container`,
  profiles: [],
  source: { type: "image" as const, alias: "x" },
  config: { "user.containarium.user": user },
});

it("keeps the connection", async () => {
  for (let request = 0; request < 20; request++) await client.server();
  // undici may open a second one for a request that comes in the same tick in which the first answer ended.
  expect(fake.connections).toBeLessThanOrEqual(2);
});

it("turns answers into errors: 404, a taken name, and the rest with its code", async () => {
  await expect(client.instances.get("nobody")).rejects.toMatchObject({ kind: "not-found", server: "jump-1" });
  await client.instances.create(container("alice"));
  await expect(client.instances.create(container("alice"))).rejects.toMatchObject({ kind: "conflict" });
  await expect(client.instances.create({ ...container("bob"), profiles: ["default"] })).rejects.toMatchObject({
    kind: "failed",
    status: 400,
  });
});

it("asks for an instance by itself that a list can only name", async () => {
  await client.instances.create(container("alice"));
  await client.instances.create(container("unreadable"));
  const users = (list: { config: Record<string, string> }[]) => list.map(({ config }) => config["user.containarium.user"]); // prettier-ignore
  expect(users(await client.instances.list())).toEqual(["alice", "unreadable"]);
  expect(users(await client.instances.listFull())).toEqual(["alice", "unreadable"]);
});

it("throws what a background operation failed with", async () => {
  await client.instances.create(container("fail-start"));
  await expect(client.instances.start("fail-start-container")).rejects.toMatchObject({
    kind: "failed",
    message: expect.stringContaining("forkstart"),
  });
});

it("waits on when a wait ran out of time", async () => {
  await client.instances.create(container("slow-start"));
  await client.instances.start("slow-start-container");
  expect(fake.requests.filter((request) => request.endsWith("/wait"))).toHaveLength(3);
});

it("gives up at the limit and asks the operation to stop", async () => {
  await client.instances.create(container("never-start"));
  const began = Date.now();
  await expect(client.instances.start("never-start-container", { timeoutMs: 300 })).rejects.toMatchObject({
    kind: "timeout",
  });
  expect(Date.now() - began).toBeLessThan(3000);
  expect(fake.requests.at(-1)).toMatch(/^DELETE \/1.0\/operations\//);
});

it("stops waiting when the caller gives up", async () => {
  await client.instances.create(container("never-start"));
  const wait = client.instances.start("never-start-container", { signal: AbortSignal.timeout(50) });
  await expect(wait).rejects.toMatchObject({ kind: "interrupted" });
});

it("starting a running one and stopping a stopped one is fine", async () => {
  await client.instances.create(container("alice"));
  await client.instances.stop("alice-container", { force: true });
  await client.instances.start("alice-container");
  await client.instances.start("alice-container");
});

it("stopping one that stops by itself at the same moment is fine, whichever way Incus says so", async () => {
  await client.instances.create(container("alice"));
  const message = 'container is not running: "alice-container"';
  fake.refuseNext("PUT /1.0/instances/alice-container/state", null, message);
  await client.instances.stop("alice-container");
});

it("the state of one that is just ending, which has none, is asked for again", async () => {
  await client.instances.create(container("alice"));
  fake.refuseNext("GET /1.0/instances/alice-container/state", null, "Invalid PID '\uFFFD'");
  expect(await client.instances.state("alice-container")).toMatchObject({ status: "Stopped" });
});

it("one that has ended is stopped only when Incus has cleaned up behind it", async () => {
  await client.instances.create(container("alice"));
  const { config } = fake.instances.get("alice-container")!;
  config["volatile.last_state.power"] = "RUNNING";
  let isOver = false;
  const stopping = client.instances.stop("alice-container").then(() => (isOver = true));
  await waitFor(() => fake.requests.filter((request) => request === "GET /1.0/instances/alice-container").length > 2, {
    timeoutMs: 5000,
    what: "it to look again",
  });
  expect(isOver).toBe(false);
  config["volatile.last_state.power"] = "STOPPED";
  await stopping;
});

it("changes only the version that was read", async () => {
  await client.instances.create(container("alice"));
  const { etag } = await client.instances.get("alice-container");
  await client.instances.patch("alice-container", { config: { "user.a": "1" } }, { etag });
  await expect(
    client.instances.patch("alice-container", { config: { "user.a": "2" } }, { etag }),
  ).rejects.toMatchObject({ name: "ChangedSinceReadError" });
  await client.instances.modify("alice-container", ({ config }) => ({ config: { "user.a": `${config["user.a"]}2` } }));
  expect(fake.instances.get("alice-container")!.config["user.a"]).toBe("12");
});

describe("files", () => {
  beforeEach(() => client.instances.create(container("alice")));

  it("makes a directory and writes a file with owner and mode", async () => {
    const files = client.instances.files("alice-container");
    await files.mkdir("/etc/new");
    await files.mkdir("/etc/new");
    await files.put("/etc/new/file", "hello", { uid: 7, gid: 8, mode: 0o600 });
    expect((await files.get("/etc/new/file")).toString()).toBe("hello");
    expect(fake.of("alice")!.files.get("/etc/new/file")).toMatchObject({ uid: 7, gid: 8, mode: 0o600 });
  });

  it("writes nothing when all agrees, and never keeps a wrong owner or mode", async () => {
    const files = client.instances.files("alice-container");
    await files.put("/etc/x", "one");
    const writes = () => fake.requests.filter((request) => request.startsWith("POST")).length;
    const before = writes();
    await files.put("/etc/x", "one");
    expect(writes()).toBe(before);
    fake.of("alice")!.files.get("/etc/x")!.mode = 0o666;
    await files.put("/etc/x", "one");
    expect(fake.of("alice")!.files.get("/etc/x")).toMatchObject({ content: "one", mode: 0o644 });
  });

  it("says not-found", async () => {
    await expect(client.instances.files("alice-container").get("/etc/nope")).rejects.toMatchObject({
      kind: "not-found",
    });
    await expect(client.instances.files("alice-container").put("/no/dir", "x")).rejects.toMatchObject({
      kind: "not-found",
    });
  });
});

describe("when Incus does not behave", () => {
  it("says that it is down: no socket, and nobody behind it", async () => {
    const missing = new IncusClient(unixSocketStream(join(directory, "none")));
    await expect(missing.server()).rejects.toMatchObject({
      name: "IncusUnavailableError",
      kind: "unreachable",
      message: expect.stringContaining("there is no"),
    });
    await missing.close();
    await client.close();
    await fake.close();
    const stale = new IncusClient(unixSocketStream(socket), { server: "jump-1" });
    await expect(stale.server()).rejects.toMatchObject({ name: "IncusUnavailableError" });
    await stale.close();
  });

  it.each<[string, (path: string) => Promise<Server>, object]>([
    [
      "answers in HTML",
      (path) => listen(path, (respond) => respond.writeHead(502).end("<html>Bad gateway")),
      { kind: "failed", message: expect.stringContaining("<html>") },
    ],
    ["hangs up", (path) => listen(path, (respond) => respond.destroy()), { kind: "unreachable" }],
    ["is silent", (path) => listen(path, () => undefined), { kind: "timeout" }],
  ])("says that it %s", async (_what, start, expected) => {
    const path = join(directory, "odd");
    const server = await start(path);
    const odd = new IncusClient(unixSocketStream(path));
    await expect(odd.get("/1.0", { timeoutMs: 200 })).rejects.toMatchObject(expected);
    await odd.close();
    server.closeAllConnections();
    server.close();
  });

  it("says that it forgot the operation", async () => {
    const path = join(directory, "forgetful");
    const server = await listen(path, (respond, url) => {
      if (url.includes("operations"))
        return respond.writeHead(404).end('{"type":"error","error_code":404,"error":"not found"}');
      return respond.writeHead(202).end('{"type":"async","operation":"/1.0/operations/x","metadata":{}}');
    });
    const forgetful = new IncusClient(unixSocketStream(path));
    await expect(forgetful.put("/1.0/instances/a/state", {})).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringContaining("forgot"),
    });
    await forgetful.close();
    server.closeAllConnections();
    server.close();
  });
});

async function listen(
  path: string,
  answer: (response: import("node:http").ServerResponse, url: string) => unknown,
): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    answer(response, request.url ?? "");
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return server;
}
