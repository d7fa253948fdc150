import { createContainer, Fleet, type Inventory } from "../../../ops";
import { choosePlace } from "../../../ops/fleet/placement";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { ALICE_KEY } from "../../fakes/keys";

let fakes: FakeServer[];
let fleet: Fleet;
const inventory = (servers: FakeServer[]): Inventory => ({
  schema: 1,
  stack: "test",
  servers: servers.map(({ address }, index) => ({ ...address, containerSubnet: `10.0.${3 + index}.0/24` })),
  defaults: { image: "debian/13", cpu: 4, memory: "4GiB", diskQuota: "20GB" },
});

beforeEach(async () => {
  fakes = await Promise.all(["jump-1", "jump-2", "jump-3"].map((name) => startFakeServer(name)));
  fleet = new Fleet(inventory(fakes));
});
afterEach(async () => {
  await fleet.close();
  await Promise.all(fakes.map((fake) => fake.close()));
});

const add = async (server: string, user: string) =>
  createContainer(await fleet.server(server), { user, sshKeys: [ALICE_KEY] });

it("connects when needed, and once", async () => {
  expect(fakes.map(({ logins }) => logins)).toEqual([0, 0, 0]);
  const [one, same] = await Promise.all([fleet.server("jump-2"), fleet.server("jump-2")]);
  expect(one).toBe(same);
  expect(fakes.map(({ logins }) => logins)).toEqual([0, 1, 0]);
});

it("says which servers there are when asked for another", async () => {
  await expect(fleet.server("jump-9")).rejects.toMatchObject({
    kind: "not-found",
    remedy: "It has: jump-1, jump-2, jump-3",
  });
});

it("tries again after a failure", async () => {
  fleet = new Fleet({
    ...inventory(fakes),
    servers: inventory(fakes).servers.map((server) => ({ ...server, port: 1 })),
  });
  await expect(fleet.server("jump-1")).rejects.toMatchObject({ kind: "unreachable" });
  await expect(fleet.server("jump-1")).rejects.toMatchObject({ kind: "unreachable" });
});

it("lists all servers, and says which ones failed", async () => {
  await add("jump-1", "alice");
  await add("jump-3", "carol");
  await fakes[1]!.stop();
  const { containers, failures } = await fleet.list();
  expect(containers.map(({ user, server }) => `${user} ${server}`)).toEqual(["alice jump-1", "carol jump-3"]);
  expect([...failures]).toEqual([["jump-2", expect.objectContaining({ kind: "unreachable" })]]);
});

it("finds where somebody lives", async () => {
  await add("jump-2", "bob");
  const found = await fleet.find("bob");
  expect([found?.server.name, found?.container.user]).toEqual(["jump-2", "bob"]);
  expect(await fleet.find("nobody2")).toBeUndefined();
});

it("finds somebody although another server is down, but never says that nobody is there", async () => {
  await add("jump-2", "bob");
  await fakes[0]!.stop();
  expect((await fleet.find("bob"))?.server.name).toBe("jump-2");
  await expect(fleet.find("alice")).rejects.toMatchObject({
    kind: "partial",
    message: expect.stringContaining("jump-1"),
  });
});

it("places on the emptiest server, or where the user is already", async () => {
  await add("jump-1", "alice");
  fakes[2]!.helper.memoryBytes = 16e9;
  expect((await fleet.place({ user: "bob" })).name).toBe("jump-3");
  expect((await fleet.place({ user: "alice" })).name).toBe("jump-1");
  await fakes[2]!.stop();
  expect((await fleet.place({ user: "bob" })).name).toBe("jump-2");
});

it("spreads people who are placed at the same moment", async () => {
  const users = ["ann", "ben", "cem", "dan", "eva", "fay"];
  const names = (await Promise.all(users.map((user) => fleet.place({ user })))).map(({ name }) => name);
  expect(names.sort()).toEqual(["jump-1", "jump-1", "jump-2", "jump-2", "jump-3", "jump-3"]);
});

it("fewest containers first, then most free memory, then by name", () => {
  const candidates = [
    { server: "c", containers: 1, availableBytes: 9 },
    { server: "b", containers: 1, availableBytes: 9 },
    { server: "a", containers: 2, availableBytes: 99 },
    { server: "d", containers: 1, availableBytes: 8 },
  ];
  expect(choosePlace(candidates)?.server).toBe("b");
  expect(choosePlace([])).toBeUndefined();
});
