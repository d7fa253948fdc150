import { createContainer, deleteContainer, openServer, type Server } from "../../../ops";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { ALICE_KEY, BOB_KEY } from "../../fakes/keys";

/** alice lives on jump-2, so far as jump-1 knows: it carries her account, and no container. */
let fake: FakeServer;
let server: Server;
const account = { user: "alice", uid: 70_000, target: "10.0.4.10", keys: [ALICE_KEY], home: "jump-2" };

beforeEach(async () => {
  fake = await startFakeServer();
  server = await openServer(fake.address);
  fake.helper.accounts.set("alice", account);
});
afterEach(async () => {
  await server.close();
  await fake.close();
});

const spec = { user: "alice", sshKeys: [BOB_KEY] };

it("a create for somebody who lives elsewhere is a conflict, and changes nothing", async () => {
  await expect(createContainer(server, spec)).rejects.toMatchObject({
    kind: "conflict",
    message: expect.stringContaining("alice lives on jump-2"),
  });
  expect(fake.incus.instances.size).toBe(0);
  expect(fake.helper.accounts.get("alice")).toBe(account);
});

it("what the server heard may be old: it asks again before it refuses", async () => {
  fake.helper.onPull = () => fake.helper.accounts.delete("alice");
  expect((await createContainer(server, spec)).user).toBe("alice");
});

it("who knows that nobody has her makes her here, whatever was heard of a server that is gone", async () => {
  expect((await createContainer(server, spec, { ifElsewhere: "ignore" })).user).toBe("alice");
  expect(fake.helper.requests.some(({ op }) => op === "peers.pull")).toBe(false);
  expect(fake.helper.accounts.get("alice")).toMatchObject({ home: "here", target: "10.0.3.10", keys: [BOB_KEY] });
});

it("a delete here leaves the account of somebody who lives elsewhere alone", async () => {
  expect(await deleteContainer(server, "alice")).toEqual({ deleted: false });
  expect(fake.helper.accounts.get("alice")).toBe(account);
});

it("a delete here of somebody who has a container here takes it, whatever else was heard", async () => {
  await createContainer(server, spec, { ifElsewhere: "ignore" });
  expect(await deleteContainer(server, "alice")).toEqual({ deleted: true });
  expect(fake.incus.instances.size).toBe(0);
});
