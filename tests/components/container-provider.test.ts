/** The contract of the `Container` resource, in the engine's own words: gRPC to the dynamic provider's process. */
import { type FakeServer, startFakeServer } from "../fakes/fake-server";
import { ALICE_KEY, BOB_KEY } from "../fakes/keys";
import { ProviderProcess } from "./provider-process";

let provider: ProviderProcess;
let fake: FakeServer;

const alice = () => ({ user: "alice", sshKeys: [ALICE_KEY], cpu: 2, memory: "1GiB", diskQuota: "5GB", autostart: true, docker: true, server: { ...fake.address } }); // prettier-ignore

beforeEach(async () => {
  fake = await startFakeServer();
  provider = await ProviderProcess.start("container", process.cwd());
}, 30_000);
afterEach(async () => {
  provider.stop();
  await fake.close();
});

test("check names the property and the reason", async () => {
  expect(await provider.check(alice())).toEqual([]);
  const failures = await provider.check({ ...alice(), user: "root", sshKeys: ["banana"], memory: "much" });
  expect(failures.map(({ property }) => property).sort()).toEqual(["memory", "sshKeys", "user"]);
  expect(failures.find(({ property }) => property === "memory")?.reason).toContain("much");
});

test("create makes it; read sees it; create again adopts it; delete takes all of it, twice is fine", async () => {
  const made = await provider.create(alice());
  expect(made.id).toBe("alice-container");
  expect(made.properties).toMatchObject({ user: "alice", ip: "10.0.3.10" });
  expect(made.properties["hostKeys"]).toHaveLength(1);
  expect((await provider.read(made.id, made.properties)).properties).toMatchObject({ memory: "1GiB", cpu: 2 });
  expect((await provider.create(alice())).properties["ip"]).toBe("10.0.3.10");
  expect(fake.incus.instances.size).toBe(1);
  await provider.delete(made.id, made.properties);
  expect(fake.incus.instances.size).toBe(0);
  expect(fake.helper.accounts.size).toBe(0);
  await provider.delete(made.id, made.properties);
});

test("diff looks at named fields only", async () => {
  const { id, properties } = await provider.create(alice());
  expect(await provider.diff(id, properties, alice())).toEqual({ changes: false, replaces: [] });
  for (const change of [
    { memory: "2GiB" },
    { cpu: 1 },
    { sshKeys: [ALICE_KEY, BOB_KEY] },
    { autostart: false },
    { snapshotSchedule: "@daily" },
    { snapshotExpiry: "7d" },
  ]) {
    expect(await provider.diff(id, properties, { ...alice(), ...change })).toEqual({ changes: true, replaces: [] });
  }
  expect((await provider.diff(id, properties, { ...alice(), image: "another" })).changes).toBe(false);
});

test("another server in the config is refused: a replacement would lose the data", async () => {
  const { id, properties } = await provider.create(alice());
  const second = await startFakeServer("jump-2");
  const elsewhere = { ...alice(), server: { ...second.address } };
  await expect(provider.diff(id, properties, elsewhere)).rejects.toThrow(/alice lives on jump-1.*\n.*server: jump-1/);
  await second.close();
});

test("another server in the config is taken where a move has brought the person there", async () => {
  const { id, properties } = await provider.create(alice());
  const second = await startFakeServer("jump-2");
  const elsewhere = { ...alice(), server: { ...second.address } };
  await provider.create(elsewhere);
  expect(await provider.diff(id, properties, elsewhere)).toEqual({ changes: true, replaces: [] });
  second.incus.of("alice")!.config["user.containarium.state"] = "arriving";
  await expect(provider.diff(id, properties, elsewhere)).rejects.toThrow(/alice lives on jump-1/);
  await second.close();
});

test("a new address of the same server is recorded and touches nobody", async () => {
  const { id, properties } = await provider.create(alice());
  const before = JSON.stringify([...fake.incus.instances]);
  const old = { ...properties, server: { ...fake.address, address: "203.0.113.9" } };
  expect(await provider.diff(id, old, alice())).toEqual({ changes: true, replaces: [] });
  expect((await provider.update(id, old, alice()))["server"]).toMatchObject({ address: "127.0.0.1" });
  expect(JSON.stringify([...fake.incus.instances])).toBe(before);
});

test("update reaches the living container", async () => {
  const { id, properties } = await provider.create(alice());
  await provider.update(id, properties, { ...alice(), memory: "2GiB", sshKeys: [BOB_KEY] });
  expect(fake.incus.instances.get("alice-container")?.config["limits.memory"]).toBe("2GiB");
  expect(fake.helper.accounts.get("alice")?.keys).toEqual([BOB_KEY]);
});

test("read: gone only when the server says so; a server that does not answer proves nothing", async () => {
  const { id, properties } = await provider.create(alice());
  fake.incus.instances.delete("alice-container");
  expect((await provider.read(id, properties)).id).toBe("");
  await fake.stop();
  expect(await provider.read(id, properties)).toMatchObject({ id, properties: { user: "alice", ip: "10.0.3.10" } });
});

test("an error says what happened, where, and what to do next", async () => {
  await fake.stop();
  await expect(provider.create(alice())).rejects.toThrow(/jump-1[\s\S]*\n {2}\S/);
});
