import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalConnection } from "../../../ops/host/local-connection";
import { serverOver } from "../../../ops/host/server";
import { FakeIncus } from "../../fakes/fake-incus";

let directory: string;
let incus: FakeIncus;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "containarium-local-"));
  incus = new FakeIncus();
  await incus.listen(join(directory, "incus.socket"));
});
afterEach(async () => {
  await incus.close();
  await rm(directory, { recursive: true });
});

it("speaks to the unix socket directly", async () => {
  const server = serverOver(new LocalConnection("here", join(directory, "incus.socket")));
  expect((await server.incus.server()).environment.server_version).toBe("6.0.4");
  await server.close();
});

it("opens TCP connections from this machine", async () => {
  const greeter = createServer((socket) => socket.end("SSH-2.0-x\r\n"));
  await new Promise<void>((resolve) => greeter.listen(0, "127.0.0.1", resolve));
  const stream = await new LocalConnection("here").dial("127.0.0.1", (greeter.address() as AddressInfo).port);
  const [first] = (await stream.take(1).toArray()) as Buffer[];
  expect(String(first)).toContain("SSH-2.0");
  greeter.close();
});

const isServer = existsSync("/usr/local/sbin/containarium-host");
(isServer ? it.skip : it)("says that this machine is no server", async () => {
  const server = serverOver(new LocalConnection("here"));
  // As root the helper is missing; as anybody else sudo may be the first to refuse.
  await expect(server.helper({ op: "server.status" })).rejects.toMatchObject({
    kind: expect.stringMatching(/failed|authentication/),
    server: "here",
    remedy: expect.any(String),
  });
  await server.close();
});
