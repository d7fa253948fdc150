import { addressOf, FleetSandbox, instance, Peer } from "./fleet-sandbox";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAxYMvpV/ari0kdpfUjQl33M38YVH1eIIjnQZX+O2Ir0 alice@laptop";
const OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKd+Acy8LFSZ3WT04gJ6rr7ZCCEVuv34nWYRnzTvGXk8";
const PULL = { op: "peers.pull" };

jest.setTimeout(30_000);

let server: FleetSandbox;
let peers: Peer[];
beforeEach(async () => {
  server = new FleetSandbox();
  peers = await Promise.all([2, 3].map((id) => new Peer(id).listen()));
});
afterEach(async () => {
  server.remove();
  await Promise.all(peers.map((peer) => peer.close()));
});

const bob = { user: "bob", keys: [KEY], target: "10.0.4.10" };
const users = async () =>
  (await server.ask({ op: "account.list" })).result.accounts.map(
    ({ user, target, home }) => `${user} ${target} ${home}`,
  );
const endings = () => server.calls().filter(([name]) => name === "end_processes");

test("everybody's account is on every server, each for their own container", async () => {
  await server.startIncus([instance("alice", "10.0.3.10", [KEY])]);
  peers[0]!.claims = [bob];
  peers[1]!.claims = [{ user: "carol", keys: [OTHER, KEY], target: "10.0.5.199" }];
  const { result } = await server.ask(PULL);
  expect(result).toEqual({
    accounts: 3,
    changed: 3,
    removed: 0,
    answered: ["jump-2", "jump-3"],
    silent: [],
    skipped: [],
  });
  expect(await users()).toEqual(["alice 10.0.3.10 here", "bob 10.0.4.10 jump-2", "carol 10.0.5.199 jump-3"]);
  expect(server.read("etc/ssh/containarium/authorized_keys.d/bob")).toContain(
    `restrict,port-forwarding,permitopen="10.0.4.10:22" ${KEY}\n`,
  );
  expect(server.read("etc/containarium/nftables.d/jump-targets.nft")).toMatch(/7000\d \. 10\.0\.4\.10 \. 22/);
  expect((await server.ask(PULL)).result).toMatchObject({ accounts: 3, changed: 0, removed: 0 });
});

test("peers are asked from the server's own address, by which they know it", async () => {
  await server.startIncus();
  await server.ask(PULL);
  expect(peers[0]!.askedFrom).toEqual([addressOf(1)]);
});

describe("a peer may speak of its own people only: refused, reported, and no harm to those beside", () => {
  const eve = { ...bob, user: "eve" };
  const claims: [string, Record<string, unknown>, RegExp][] = [
    ["a container of this server", { ...eve, target: "10.0.3.10" }, /10\.0\.3\.10 is not the address of a container/],
    ["a container of a third server", { ...eve, target: "10.0.5.10" }, /10\.0\.5\.10 is not the address/],
    ["its own bridge", { ...eve, target: "10.0.4.1" }, /10\.0\.4\.1 is not the address/],
    ["loopback", { ...eve, target: "127.0.0.1" }, /127\.0\.0\.1 is not the address/],
    ["cloud metadata", { ...eve, target: "169.254.169.254" }, /169\.254\.169\.254 is not the address/],
    ["a port", { ...eve, target: "10.0.4.10:22" }, /10\.0\.4\.10:22" is not an IPv4 address/],
    ["an address that is a number", { ...eve, target: 167773194 }, /167773194 is not an IPv4 address/],
    ["the address of somebody else of its own", { ...eve, target: "10.0.4.10" }, /eve or 10\.0\.4\.10 comes twice/],
    ["the same user twice", { ...bob, target: "10.0.4.21" }, /bob or 10\.0\.4\.21 comes twice/],
    ["root", { ...bob, user: "root", target: "10.0.4.22" }, /root is an account of this server/],
    ["the administrator", { ...bob, user: "boss", target: "10.0.4.23" }, /boss is this server's administrator/],
    ["somebody who lives here", { ...bob, user: "alice", target: "10.0.4.24" }, /alice lives here/],
    ["somebody half-made here", { ...bob, user: "half", target: "10.0.4.25" }, /half lives here/],
    ["a name that is a command", { ...bob, user: "x;id", target: "10.0.4.26" }, /"x;id" is not a user name/],
    ["no name", { keys: [KEY], target: "10.0.4.27" }, /null is not a user name/],
    [
      "a key with options",
      { ...eve, keys: [`command="sh" ${KEY}`], target: "10.0.4.28" },
      /key 1 contains a quotation/,
    ],
    [
      "a key on two lines",
      { ...eve, keys: [`${KEY}\nrestrict ${KEY}`], target: "10.0.4.29" },
      /key 1 contains control/,
    ],
    ["no key", { ...eve, keys: [], target: "10.0.4.30" }, /keys must be a list/],
  ];

  test("all at once", async () => {
    await server.startIncus([instance("alice", "10.0.3.10", [KEY]), instance("half", "10.0.3.11", [KEY], "creating")]);
    const passwd = server.read("etc/passwd")!;
    peers[0]!.claims = [bob, ...claims.map(([, claim]) => claim), "eve", null];
    const { result } = await server.ask(PULL);
    for (const [what, { user }, reason] of claims) {
      const reported = result.skipped.filter((entry) => entry.server === "jump-2" && reason.test(entry.reason));
      expect({ what, reported: reported.map((entry) => entry.user) }).toEqual({ what, reported: expect.any(Array) });
      if (user !== undefined) expect({ what, user: reported[0]?.user }).toEqual({ what, user });
    }
    expect(result.skipped).toHaveLength(claims.length + 2);
    expect(await users()).toEqual(["alice 10.0.3.10 here", "bob 10.0.4.10 jump-2", "half 10.0.3.11 here"]);
    expect(server.read("etc/passwd")).toContain(passwd);
  });

  test.each<[string, Peer["reply"], RegExp | undefined]>([
    [
      "another server's name",
      { body: JSON.stringify({ schema: 1, name: "jump-3", accounts: [bob] }) },
      /is not jump-2/,
    ],
    ["another schema", { body: JSON.stringify({ schema: 2, name: "jump-2", accounts: [bob] }) }, /is not jump-2/],
    ["no list", { body: JSON.stringify({ schema: 1, name: "jump-2", accounts: { bob } }) }, /does not give a list/],
    [
      "more than a subnet holds",
      { body: JSON.stringify({ schema: 1, name: "jump-2", accounts: Array(254).fill(bob) }) },
      /at most 253/,
    ],
    ["no JSON", { body: "<html>" }, undefined],
    ["a field twice", { body: '{"schema":1,"name":"jump-2","accounts":[],"accounts":[]}' }, undefined],
    ["a bottomless list", { body: "[".repeat(100_000) }, undefined],
    ["an error", { status: 503, body: JSON.stringify({ schema: 1, name: "jump-2", accounts: [] }) }, undefined],
    [
      "more than anybody needs",
      { body: `{"schema":1,"name":"jump-2","accounts":["${"x".repeat(5_000_000)}"]}` },
      undefined,
    ],
  ])("%s as a whole: what it said before still counts", async (_what, reply, reason) => {
    await server.startIncus();
    peers[0]!.claims = [bob];
    await server.ask(PULL);
    peers[0]!.reply = reply;
    const { result } = await server.ask(PULL);
    expect(await users()).toEqual(["bob 10.0.4.10 jump-2"]);
    if (reason === undefined) expect(result.silent).toMatchObject([{ server: "jump-2" }]);
    else expect(result.skipped).toEqual([{ server: "jump-2", reason: expect.stringMatching(reason) }]);
  });
});

test("a peer that never answers holds nobody else up, for longer than its limit", async () => {
  await server.startIncus();
  peers[0]!.reply = undefined;
  peers[1]!.claims = [{ ...bob, target: "10.0.5.10" }];
  const began = Date.now();
  expect((await server.ask(PULL)).result.answered).toEqual(["jump-3"]);
  expect(Date.now() - began).toBeLessThan(10_000);
  expect(await users()).toEqual(["bob 10.0.5.10 jump-3"]);
});

test("while a peer is silent its people keep their accounts, also on a new boot disk", async () => {
  await server.startIncus();
  peers[0]!.claims = [bob];
  await server.ask(PULL);
  await peers[0]!.close();
  const { result } = await server.ask(PULL);
  expect(result.silent).toEqual([{ server: "jump-2", reason: expect.any(String) }]);
  expect(await users()).toEqual(["bob 10.0.4.10 jump-2"]);

  server.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n");
  server.write("etc/shadow", "root:*:1::::::\n");
  expect((await server.ask({ op: "rebuild" })).result).toMatchObject({ accounts: 1, removed: 0, skipped: [] });
  expect(await users()).toEqual(["bob 10.0.4.10 jump-2"]);
});

test("whom a peer no longer has is gone here, and so are their sessions", async () => {
  await server.startIncus();
  peers[0]!.claims = [bob, { ...bob, user: "carol", target: "10.0.4.11" }];
  await server.ask(PULL);
  peers[0]!.claims = [bob];
  expect((await server.ask(PULL)).result).toMatchObject({ accounts: 1, removed: 1 });
  expect(await users()).toEqual(["bob 10.0.4.10 jump-2"]);
  expect(endings()).toEqual([
    ["end_processes", 70001],
    ["end_processes", 70001],
  ]);
  expect(server.read("etc/ssh/containarium/authorized_keys.d/carol")).toBeUndefined();
});

test("an older answer is never put in place after a newer one", async () => {
  await server.startIncus();
  peers[0]!.claims = [bob];
  peers[0]!.delays = [2500];
  const slow = server.ask(PULL);
  while (peers[0]!.askedFrom.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  peers[0]!.claims = [];
  expect((await server.ask(PULL)).result.answered).toContain("jump-2");
  await slow;
  expect(await users()).toEqual([]);
});

test("a key that was taken away ends the sessions that it may have opened; one that was added ends none", async () => {
  await server.startIncus();
  peers[0]!.claims = [bob];
  await server.ask(PULL);
  peers[0]!.claims = [{ ...bob, keys: [OTHER, KEY] }];
  await server.ask(PULL);
  expect(endings()).toEqual([]);
  peers[0]!.claims = [{ ...bob, keys: [OTHER] }];
  expect((await server.ask(PULL)).result).toMatchObject({ changed: 1 });
  expect(endings()).toEqual([["end_processes", 70000]]);
  expect(server.read("etc/ssh/containarium/authorized_keys.d/bob")).not.toContain(KEY);
});

test("nobody is taken from one peer by another, before that one has let go", async () => {
  await server.startIncus();
  peers[1]!.claims = [{ ...bob, target: "10.0.5.10" }];
  await server.ask(PULL);
  // The lower id, and later.
  peers[0]!.claims = [bob];
  const { result } = await server.ask(PULL);
  expect(result.skipped).toEqual([{ server: "jump-2", user: "bob", reason: "bob lives on jump-3" }]);
  expect(await users()).toEqual(["bob 10.0.5.10 jump-3"]);
  peers[1]!.claims = [];
  expect((await server.ask(PULL)).result).toMatchObject({ changed: 1, removed: 0, skipped: [] });
  expect(await users()).toEqual(["bob 10.0.4.10 jump-2"]);
});

test("whoever has moved away from here lives there, also while something of them is still here", async () => {
  await server.startIncus([instance("bob", "10.0.3.10", [KEY], "leaving")]);
  peers[0]!.claims = [bob];
  expect((await server.ask(PULL)).result.skipped).toEqual([]);
  expect(await users()).toEqual(["bob 10.0.4.10 jump-2"]);
});

test("whoever lived on a server that is gone for good lives where they live now, once that is said", async () => {
  await server.startIncus();
  peers[0]!.claims = [bob, { ...bob, user: "carol", target: "10.0.4.11" }];
  await server.ask(PULL);
  await peers[0]!.close();
  peers[1]!.claims = [{ ...bob, target: "10.0.5.10" }];
  await server.ask(PULL);
  expect(await users()).toEqual(["bob 10.0.4.10 jump-2", "carol 10.0.4.11 jump-2"]);
  const forget = (name: string) => server.ask({ op: "peers.forget", server: name });
  expect((await forget("jump-2")).result).toMatchObject({ forgotten: true, accounts: 1, removed: 1, skipped: [] });
  expect(await users()).toEqual(["bob 10.0.5.10 jump-3"]);
  expect((await forget("jump-2")).result).toMatchObject({ forgotten: false, changed: 0, removed: 0 });
  for (const name of ["jump-1", "jump-0", "jump-241", "../jump-3"]) {
    expect((await forget(name)).error?.code).toBe("invalid");
  }
});

test("who comes to live here is nobody else's, and who is deleted here may be", async () => {
  await server.startIncus();
  peers[0]!.claims = [bob];
  await server.ask(PULL);
  expect((await server.ask({ op: "account.check", user: "bob" })).result).toEqual({ state: "ours", home: "jump-2" });
  server.setInstances([instance("bob", "10.0.3.20", [OTHER], "creating")]);
  await server.ask({ op: "account.put", user: "bob", keys: [OTHER], target: "10.0.3.20" });
  expect((await server.ask({ op: "account.check", user: "bob" })).result).toEqual({ state: "ours", home: "here" });
  expect((await server.ask(PULL)).result.skipped).toEqual([
    { server: "jump-2", user: "bob", reason: "bob lives here" },
  ]);
  expect(await users()).toEqual(["bob 10.0.3.20 here"]);
  server.setInstances([]);
  await server.ask({ op: "account.remove", user: "bob" });
  await server.ask(PULL);
  expect(await users()).toEqual(["bob 10.0.4.10 jump-2"]);
});

test("whose account was removed does not get it back from the instance that is still there, here or elsewhere", async () => {
  await server.startIncus([instance("alice", "10.0.3.10", [KEY])]);
  await server.ask(PULL);
  await server.ask({ op: "account.remove", user: "alice" });
  for (const op of ["peers.pull", "rebuild"]) expect((await server.ask({ op })).result.accounts).toBe(0);
  // A new one is somebody's wish again, and so is what comes after the instance is gone.
  await server.ask({ op: "account.put", user: "alice", keys: [KEY], target: "10.0.3.10" });
  await server.ask(PULL);
  expect(await users()).toEqual(["alice 10.0.3.10 here"]);
  await server.ask({ op: "account.remove", user: "alice" });
  server.setInstances([]);
  await server.ask(PULL);
  server.setInstances([instance("alice", "10.0.3.10", [KEY])]);
  await server.ask(PULL);
  expect(await users()).toEqual(["alice 10.0.3.10 here"]);
});

test("a server whose containers are nowhere in the fleet's plan says so", async () => {
  await server.startIncus();
  const strange = { schema: 1, name: "jump-1", admin: { user: "boss" }, containerSubnet: "10.9.3.0/24" };
  server.write("etc/containarium/server.json", JSON.stringify({ ...strange, fleetSubnet: "127.0.0.0/24" }));
  expect((await server.ask(PULL)).error?.message).toContain("10.9.3.0/24 is not the container subnet of any server");
});

test("while the own Incus is silent nothing changes: nobody can tell who lives here", async () => {
  peers[0]!.claims = [bob];
  const before = server.read("etc/passwd");
  expect((await server.ask(PULL)).error).toMatchObject({ code: "failed", message: expect.stringContaining("Incus") });
  expect(server.read("etc/passwd")).toBe(before);
});

test("a kept list that is damaged, or says what its peer may not say, counts for nothing", async () => {
  await server.startIncus();
  peers[0]!.claims = [bob];
  await server.ask(PULL);
  for (const peer of peers) await peer.close();
  server.write("srv/containarium/state/peers/jump-2.json", '{"schema": 1, "name"');
  server.write(
    "srv/containarium/state/peers/jump-3.json",
    JSON.stringify({ schema: 1, name: "jump-3", accounts: [{ ...bob, target: "10.0.3.10" }] }),
  );
  const { result } = await server.ask({ op: "rebuild" });
  expect(result.skipped).toMatchObject([{ server: "jump-2" }, { server: "jump-3", user: "bob" }]);
  expect(await users()).toEqual([]);
});

test("where no VPC does it, the way to a peer's containers goes by the peer; and is asked for again each time", async () => {
  await server.startIncus();
  await server.ask(PULL);
  expect(server.calls().filter(([program]) => program === "ip")).toEqual([]);
  const own = { schema: 1, name: "jump-1", admin: { user: "boss" }, containerSubnet: "10.0.3.0/24", routePeers: true };
  server.write(
    "etc/containarium/server.json",
    JSON.stringify({ ...own, fleetSubnet: addressOf(1).replace(/\.\d+$/, ".0/24") }),
  );
  await peers[1]!.close();
  await server.ask(PULL);
  const ways = server.calls().filter(([program]) => program === "ip");
  expect(ways).toEqual([["ip", "-4", "route", "replace", "10.0.4.0/24", "via", addressOf(2)]]);
});

test("a server that was told of no fleet asks nobody", async () => {
  server.write(
    "etc/containarium/server.json",
    JSON.stringify({ schema: 1, name: "jump-1", admin: { user: "boss" }, containerSubnet: "10.0.3.0/24" }),
  );
  expect((await server.ask(PULL)).result).toMatchObject({ answered: [], accounts: 0 });
  expect(peers[0]!.askedFrom).toEqual([]);
});

test("a server without its own address says so, instead of hearing nobody for ever", async () => {
  const other = { schema: 1, name: "jump-1", admin: { user: "boss" }, containerSubnet: "10.0.3.0/24" };
  server.write("etc/containarium/server.json", JSON.stringify({ ...other, fleetSubnet: "192.0.2.0/24" }));
  expect((await server.ask(PULL)).error?.message).toContain("does not have the address 192.0.2.11");
});

test("path.verify walks to any server's containers, and nowhere else", async () => {
  const verify = (target: string) => server.ask({ op: "path.verify", user: "nemo", target, timeoutSeconds: 1 });
  expect((await verify("10.0.9.10")).error?.code).toBe("not-found");
  for (const target of ["10.0.9.1", "10.1.9.10", "10.0.1.10", "127.0.0.1"]) {
    expect((await verify(target)).error?.code).toBe("invalid");
  }
});
