import { announceAccounts, Fleet, type Inventory } from "../../../ops";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";

let fakes: FakeServer[];
let fleet: Fleet;

beforeEach(async () => {
  fakes = await Promise.all(["jump-1", "jump-2", "jump-3"].map((name) => startFakeServer(name)));
  const inventory: Inventory = {
    schema: 1,
    stack: "test",
    servers: fakes.map(({ address }, index) => ({ ...address, containerSubnet: `10.0.${3 + index}.0/24` })),
    defaults: { image: "debian/13", cpu: 4, memory: "4GiB", diskQuota: "20GB" },
  };
  fleet = new Fleet(inventory);
});
afterEach(async () => {
  await fleet.close();
  await Promise.all(fakes.map((fake) => fake.close()));
});

const pulls = () => fakes.map(({ helper }) => helper.requests.filter(({ op }) => op === "peers.pull").length);

it("has all servers but the changed one ask, at once", async () => {
  const { heard, silent } = await announceAccounts(fleet, "jump-2");
  expect([heard, [...silent]]).toEqual([["jump-1", "jump-3"], []]);
  expect(pulls()).toEqual([1, 0, 1]);
  await announceAccounts(fleet);
  expect(pulls()).toEqual([2, 1, 2]);
});

it("is no failure where a server is silent, and says which", async () => {
  await fakes[2]!.stop();
  const { heard, silent } = await announceAccounts(fleet, "jump-1");
  expect(heard).toEqual(["jump-2"]);
  expect([...silent]).toEqual([["jump-3", expect.objectContaining({ kind: "unreachable" })]]);
});

it("does not wait again for a server that could not be reached a moment ago", async () => {
  await fakes[2]!.stop();
  await fleet.list();
  const server = jest.spyOn(fleet, "server");
  expect([...(await announceAccounts(fleet, "jump-1")).silent.keys()]).toEqual(["jump-3"]);
  expect(server.mock.calls).toEqual([["jump-2"]]);
});

it("does not count a server as told that does not hear the changed one", async () => {
  fakes[2]!.helper.silentPeers = [{ server: "jump-1", reason: "no answer in time" }];
  const { heard, silent } = await announceAccounts(fleet, "jump-1");
  expect(heard).toEqual(["jump-2"]);
  expect(silent.get("jump-3")?.message).toBe("it does not hear jump-1: no answer in time");
});

it("has every server forget one that is silent and no longer in the fleet; one that is only silent is remembered", async () => {
  fakes[2]!.helper.silentPeers = ["jump-1", "jump-4"].map((server) => ({ server, reason: "no answer in time" }));
  const { heard } = await announceAccounts(fleet, "jump-2");
  expect(heard).toEqual(["jump-1", "jump-3"]);
  const forgotten = fakes.map(({ helper }) => helper.requests.filter(({ op }) => op === "peers.forget"));
  expect(forgotten).toEqual(Array(3).fill([{ op: "peers.forget", server: "jump-4" }]));
});

it("says so of a server whose helper is older and knows no such thing", async () => {
  fakes[1]!.behaviour.helper = "missing";
  const { heard, silent } = await announceAccounts(fleet, "jump-1");
  expect(heard).toEqual(["jump-3"]);
  expect([...silent.keys()]).toEqual(["jump-2"]);
});
