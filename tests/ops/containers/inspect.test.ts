import { createContainer, inspectContainer, openServer, type Server } from "../../../ops";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { ALICE_KEY } from "../../fakes/keys";

let fake: FakeServer;
let server: Server;
const journal = "journalctl -q -n 1 -o json -t sshd -t sshd-session -g ^Accepted \\S+ for alice from ";

beforeEach(async () => {
  fake = await startFakeServer();
  server = await openServer(fake.address);
  await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
  Object.assign(fake.incus.of("alice")!, { diskUsage: 3e9, memoryUsage: 2e9 });
});
afterEach(async () => {
  await server.close();
  await fake.close();
});

it("says what is used, without caches, and the last login", async () => {
  fake.incus.outputs.set("cat /proc/meminfo", "MemTotal:  4194304 kB\nMemFree: 1 kB\nMemAvailable:  4094304 kB\n");
  fake.incus.outputs.set(journal, `${JSON.stringify({ __REALTIME_TIMESTAMP: "1795616803033000" })}\n`);
  expect(await inspectContainer(server, "alice")).toMatchObject({
    user: "alice",
    status: "running",
    usage: { diskBytes: 3e9, memoryBytes: 100_000 * 1024, cpuSeconds: 2.5, processes: 20 },
    startedAt: "2026-11-23T12:00:00.000Z",
    snapshots: [],
    lastLogin: "2026-11-25T14:26:43.033Z",
  });
});

it("does without what its owner took away", async () => {
  const { usage, lastLogin } = await inspectContainer(server, "alice");
  expect([usage.memoryBytes, lastLogin]).toEqual([2e9, undefined]);
});

it("of a stopped one: its disk, and nothing else", async () => {
  fake.incus.of("alice")!.status = "Stopped";
  const details = await inspectContainer(server, "alice");
  expect(details.usage).toEqual({ diskBytes: 3e9, memoryBytes: 0, cpuSeconds: 0, processes: 0 });
  expect(details).not.toHaveProperty("startedAt");
});

it("says not-found", async () => {
  await expect(inspectContainer(server, "bob")).rejects.toMatchObject({ kind: "not-found" });
});
