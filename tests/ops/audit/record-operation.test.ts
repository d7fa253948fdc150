import {
  addBan,
  addKeys,
  backupContainer,
  createContainer,
  createSnapshot,
  deleteContainer,
  deleteSnapshot,
  listContainers,
  openServer,
  parsePublicKey,
  recordOperation,
  removeBan,
  removeKeys,
  replaceKeys,
  resizeContainer,
  restartContainer,
  restoreSnapshot,
  setAutostart,
  startContainer,
  stopContainer,
  updateContainer,
  type Server,
} from "../../../ops";
import { PassThrough } from "node:stream";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { keys } from "../../bin/harness";

let fake: FakeServer;
let server: Server;
beforeAll(async () => {
  fake = await startFakeServer();
  server = await openServer(fake.address);
});
afterAll(async () => {
  await server.close();
  await fake.close();
});
beforeEach(() => {
  fake.helper.operations.length = 0;
  fake.helper.recordFull = false;
});

const spec = { user: "alice", sshKeys: [keys.alice] };
const key = parsePublicKey(keys.bob, "a key");
/** What is on record: name, user, detail and result; each begin has exactly one end. */
function recorded() {
  const { operations } = fake.helper;
  const begins = operations.flatMap((one) => (one.op === "audit.begin" ? [one] : []));
  return begins.map(({ id, operation, user, detail }) => {
    const ends = operations.flatMap((one) => (one.op === "audit.end" && one.id === id ? [one.result] : []));
    return [operation, user, detail, ...ends];
  });
}

// In this order: each needs what those before it left.
test.each<[string, () => Promise<unknown>, unknown[]]>([
  ["create", () => createContainer(server, spec, { createdBy: "t@laptop" }), ["create", "alice", "by t@laptop"]],
  ["adopt", () => createContainer(server, { ...spec, cpu: 2 }, { ifExists: "adopt" }), ["update", "alice", ""]],
  ["update", () => updateContainer(server, spec), ["update", "alice", ""]],
  ["stop", () => stopContainer(server, "alice"), ["stop", "alice", ""]],
  ["start", () => startContainer(server, "alice"), ["start", "alice", ""]],
  ["restart, which stops and starts", () => restartContainer(server, "alice"), ["restart", "alice", ""]],
  ["autostart", () => setAutostart(server, "alice", false), ["autostart", "alice", "off"]],
  ["resize", () => resizeContainer(server, "alice", { memory: "2GiB" }), ["resize", "alice", "memory 2GiB"]],
  ["keys add", () => addKeys(server, "alice", [key]), ["keys add", "alice", key.fingerprint]],
  ["keys remove", () => removeKeys(server, "alice", [{ key }]), ["keys remove", "alice", ""]],
  ["keys replace", () => replaceKeys(server, "alice", [key]), ["keys replace", "alice", key.fingerprint]],
  ["snapshot create", () => createSnapshot(server, "alice", "x"), ["snapshot create", "alice", "x"]],
  ["snapshot restore", () => restoreSnapshot(server, "alice", "x"), ["snapshot restore", "alice", "x"]],
  ["snapshot delete", () => deleteSnapshot(server, "alice", "x"), ["snapshot delete", "alice", "x"]],
  ["backup", () => backupContainer(server, "alice", new PassThrough().resume()), ["backup", "alice", ""]],
  ["bans add", () => addBan(server, "203.0.113.9"), ["bans add", "", "203.0.113.9"]],
  ["bans remove", () => removeBan(server, "203.0.113.9"), ["bans remove", "", "203.0.113.9"]],
  ["delete", () => deleteContainer(server, "alice"), ["delete", "alice", ""]],
])("%s: one begin and one end", async (_name, work, expected) => {
  await work();
  expect(recorded()).toEqual([[...expected, "done"]]);
});

test("what only looks, finds what is wanted, or finds nothing, is not on record", async () => {
  await listContainers(server);
  await deleteContainer(server, "alice");
  await createContainer(server, spec);
  fake.helper.operations.length = 0;
  await createContainer(server, spec, { ifExists: "adopt" });
  await updateContainer(server, spec);
  await expect(createContainer(server, spec)).rejects.toMatchObject({ kind: "conflict" });
  expect(recorded()).toEqual([]);
  await deleteContainer(server, "alice");
  fake.helper.operations.length = 0;
  expect(recorded()).toEqual([]);
});

test("one that fails says how it ended, and why", async () => {
  await expect(startContainer(server, "nobody2")).rejects.toThrow("nobody2 has no container on jump-1");
  expect(recorded()).toEqual([["start", "nobody2", "", "failed"]]);
  expect(fake.helper.operations[1]).toMatchObject({ message: "nobody2 has no container on jump-1" });
});

test("one that is interrupted says so", async () => {
  const stop = new AbortController();
  const making = createContainer(server, spec, { signal: stop.signal, onStep: () => stop.abort() });
  await expect(making).rejects.toThrow();
  expect(recorded()).toEqual([["create", "alice", "", "interrupted"]]);
});

test("one that is killed has a begin and no end", async () => {
  // Work that never ends is all that the server sees of it.
  void recordOperation(server, { operation: "create", user: "alice" }, () => new Promise<void>(() => undefined));
  while (fake.helper.operations.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(recorded()).toEqual([["create", "alice", ""]]);
});

test("bad input reaches no server", async () => {
  await expect(startContainer(server, "Alice; rm")).rejects.toMatchObject({ kind: "invalid" });
  expect(recorded()).toEqual([]);
});

test("a record that cannot be written keeps nobody from working", async () => {
  fake.helper.recordFull = true;
  await createContainer(server, spec);
  expect(await deleteContainer(server, "alice")).toEqual({ deleted: true });
});
