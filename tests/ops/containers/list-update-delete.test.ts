import {
  createContainer,
  deleteContainer,
  getContainer,
  listContainers,
  openServer,
  updateContainer,
  type Server,
} from "../../../ops";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { ALICE_KEY, BOB_KEY } from "../../fakes/keys";

let fake: FakeServer;
let server: Server;

beforeEach(async () => {
  fake = await startFakeServer();
  server = await openServer(fake.address);
});
afterEach(async () => {
  await server.close();
  await fake.close();
});

describe("listContainers", () => {
  it("is empty on a new server", async () => {
    expect(await listContainers(server)).toEqual([]);
  });

  it("lists ours by user, with the truth about each, and leaves out what is not ours", async () => {
    for (const user of ["no-sshd", "mute", "zoe", "alice", "bob", "carol"])
      await createContainer(server, { user, sshKeys: [ALICE_KEY] });
    fake.incus.add({ name: "somebody-elses", status: "Running" });
    fake.incus.of("zoe")!.status = "Stopped";
    fake.incus.of("carol")!.config["user.containarium.state"] = "creating";
    fake.helper.accounts.delete("bob");
    const found = await listContainers(server);
    expect(found.map(({ user, status }) => `${user} ${status}`)).toEqual([
      "alice running",
      "bob no-ssh",
      "carol half-made",
      "mute no-ssh",
      "no-sshd no-ssh",
      "zoe stopped",
    ]);
  });

  it("asks as often for many as for one", async () => {
    for (const user of ["alice", "bob", "carol"]) await createContainer(server, { user, sshKeys: [ALICE_KEY] });
    fake.incus.requests.length = 0;
    fake.helper.requests.length = 0;
    await listContainers(server);
    expect(fake.incus.requests).toEqual(["GET /1.0/instances"]);
    expect(fake.helper.requests).toHaveLength(2);
    expect(fake.dials).toBe(0);
  });

  it("looks itself where the server's helper is older", async () => {
    for (const user of ["alice", "mute"]) await createContainer(server, { user, sshKeys: [ALICE_KEY] });
    fake.helper.knowsProbe = false;
    const found = await listContainers(server);
    expect(found.map(({ user, status }) => `${user} ${status}`)).toEqual(["alice running", "mute no-ssh"]);
    expect(fake.dials).toBe(2);
  });

  it("believes Incus where the server does not let the administrator look", async () => {
    await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
    fake.behaviour.forwarding = "forbidden";
    fake.helper.knowsProbe = false;
    const second = await openServer(fake.address);
    expect(await listContainers(second)).toMatchObject([{ user: "alice", status: "running" }]);
    await second.close();
  });
});

describe("getContainer", () => {
  it("finds one", async () => {
    const made = await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
    expect(await getContainer(server, "alice")).toEqual(made);
  });

  it("says not-found for nobody's and for somebody else's", async () => {
    await expect(getContainer(server, "alice")).rejects.toMatchObject({ kind: "not-found" });
    fake.incus.add({ name: "alice-container" });
    await expect(getContainer(server, "alice")).rejects.toMatchObject({ kind: "not-found" });
  });
});

describe("updateContainer", () => {
  beforeEach(async () => {
    await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY], diskQuota: "10GB" });
  });

  it("changes limits, autostart and Docker", async () => {
    const spec = {
      user: "alice",
      sshKeys: [ALICE_KEY],
      cpu: 1,
      memory: "2GiB",
      diskQuota: "30GB",
      autostart: false,
      docker: false,
    };
    expect(await updateContainer(server, spec)).toMatchObject({
      cpu: 1,
      memory: "2GiB",
      diskQuota: "30GB",
      autostart: false,
      docker: false,
    });
    const { config, devices, files } = fake.incus.of("alice")!;
    expect(config).toMatchObject({
      "limits.cpu.allowance": "100ms/100ms",
      "security.nesting": "false",
      "user.containarium.state": "ready",
    });
    expect(devices["root"]).toMatchObject({ size: "30GB", pool: "default", path: "/" });
    expect(devices["eth0"]).toMatchObject({ "ipv4.address": "10.0.3.10", "security.port_isolation": "true" });
    expect(files.get("/etc/containarium/user.json")!.content).toContain('"docker":false');
  });

  it("replaces the keys on both hops and in the record", async () => {
    const container = await updateContainer(server, { user: "alice", sshKeys: [BOB_KEY], diskQuota: "10GB" });
    expect(container.keys).toMatchObject([{ comment: "bob@laptop" }]);
    expect(fake.helper.accounts.get("alice")!.keys).toEqual([BOB_KEY]);
    expect(fake.incus.of("alice")!.files.get("/etc/ssh/authorized_keys.d/alice")!.content).not.toContain(ALICE_KEY);
    expect(fake.incus.of("alice")!.config["user.containarium.keys"]).toBe(JSON.stringify([BOB_KEY]));
  });

  it("takes a file of keys back from whoever changed its owner or mode", async () => {
    const file = fake.incus.of("alice")!.files.get("/etc/ssh/authorized_keys.d/alice")!;
    Object.assign(file, { uid: 1000, mode: 0o666 });
    await updateContainer(server, { user: "alice", sshKeys: [BOB_KEY], diskQuota: "10GB" });
    const now = fake.incus.of("alice")!.files.get("/etc/ssh/authorized_keys.d/alice")!;
    expect(now).toMatchObject({ uid: 0, mode: 0o644 });
  });

  it("refuses a quota below what is used, and one larger than the pool, before anything is changed", async () => {
    fake.incus.of("alice")!.diskUsage = 8e9;
    const before = structuredClone(fake.incus.of("alice")!.config);
    for (const diskQuota of ["5GB", "200GB"]) {
      const failure = updateContainer(server, { user: "alice", sshKeys: [BOB_KEY], diskQuota });
      await expect(failure).rejects.toMatchObject({
        kind: "invalid",
        remedy: expect.stringContaining("Nothing was changed"),
      });
    }
    expect(fake.incus.of("alice")!.config).toEqual(before);
    expect(fake.helper.accounts.get("alice")!.keys).toEqual([ALICE_KEY]);
  });

  it("says not-found, half-made and not ours", async () => {
    await expect(updateContainer(server, { user: "bob", sshKeys: [BOB_KEY] })).rejects.toMatchObject({
      kind: "not-found",
    });
    fake.incus.of("alice")!.config["user.containarium.state"] = "creating";
    await expect(updateContainer(server, { user: "alice", sshKeys: [BOB_KEY] })).rejects.toMatchObject({
      kind: "conflict",
    });
    fake.incus.of("alice")!.config["user.containarium.schema"] = "";
    fake.incus.add({ name: "alice-container" });
    await expect(updateContainer(server, { user: "alice", sshKeys: [BOB_KEY] })).rejects.toMatchObject({
      kind: "conflict",
    });
  });

  it("says what is left half done", async () => {
    fake.helper.foreign.add("alice");
    const failure = updateContainer(server, { user: "alice", sshKeys: [BOB_KEY], diskQuota: "10GB" });
    await expect(failure).rejects.toMatchObject({
      kind: "conflict",
      leftBehind: expect.stringContaining("not its new keys everywhere"),
    });
  });
});

describe("deleteContainer", () => {
  it("removes account and container, a running one too, and is fine with being run again", async () => {
    await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
    await createContainer(server, { user: "bob", sshKeys: [BOB_KEY] });
    expect(await deleteContainer(server, "alice")).toEqual({ deleted: true });
    expect([...fake.incus.instances.keys()]).toEqual(["bob-container"]);
    expect([...fake.helper.accounts.keys()]).toEqual(["bob"]);
    expect(await deleteContainer(server, "alice")).toEqual({ deleted: false });
  });

  it("removes one whose disk an Incus that was killed has removed already", async () => {
    await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
    fake.incus.missingDisks.add("alice-container");
    expect(await deleteContainer(server, "alice")).toEqual({ deleted: true });
    expect(fake.incus.instances.size).toBe(0);
  });

  it("closes the way in before it removes the container", async () => {
    await createContainer(server, { user: "stuck2", sshKeys: [ALICE_KEY] });
    const instance = fake.incus.of("stuck2")!;
    instance.config["user.containarium.user"] = "stuck2";
    const order: string[] = [];
    const { answer } = fake.helper;
    fake.helper.answer = function (input: string) {
      order.push(`${(JSON.parse(input) as { op: string }).op} with ${fake.incus.instances.size}`);
      return answer.call(this, input);
    };
    await deleteContainer(server, "stuck2");
    const changes = order.filter((call) => call.startsWith("account."));
    expect(changes).toEqual(["account.check with 1", "account.remove with 1"]);
  });

  it("removes a jump account of ours that lost its container", async () => {
    fake.helper.accounts.set("alice", { user: "alice", uid: 2000, target: "10.0.3.10", keys: [], home: "here" });
    expect(await deleteContainer(server, "alice")).toEqual({ deleted: true });
    expect(fake.helper.accounts.size).toBe(0);
  });

  it("refuses a container that is not ours, or another user's, and touches nothing", async () => {
    fake.incus.add({ name: "alice-container", status: "Running" });
    fake.helper.accounts.set("alice", { user: "alice", uid: 2000, target: "10.0.3.10", keys: [], home: "here" });
    await expect(deleteContainer(server, "alice")).rejects.toMatchObject({ kind: "conflict" });
    expect(fake.incus.instances.get("alice-container")!.status).toBe("Running");
    expect(fake.helper.accounts.size).toBe(1);
    await createContainer(server, { user: "a-b", sshKeys: [ALICE_KEY] });
    await expect(deleteContainer(server, "a_b")).rejects.toMatchObject({ kind: "conflict" });
  });

  it("never touches an account of the server", async () => {
    await expect(deleteContainer(server, "foreign")).rejects.toMatchObject({ kind: "conflict" });
    await expect(deleteContainer(server, "root")).rejects.toMatchObject({ kind: "invalid" });
    expect(fake.helper.requests.map(({ op }) => op)).toEqual(["account.check"]);
  });

  it("leaves a foreign account alone, yet removes our container", async () => {
    await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
    fake.helper.accounts.delete("alice");
    fake.helper.foreign.add("alice");
    expect(await deleteContainer(server, "alice")).toEqual({ deleted: true });
    expect(fake.helper.requests.map(({ op }) => op)).not.toContain("account.remove");
  });

  it("says what is left when it stops half-way", async () => {
    await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
    fake.incus.of("alice")!.config["user.containarium.user"] = "stuck";
    fake.incus.instances.set("stuck-container", {
      ...fake.incus.instances.get("alice-container")!,
      name: "stuck-container",
    });
    fake.incus.instances.delete("alice-container");
    await expect(deleteContainer(server, "stuck")).rejects.toMatchObject({
      kind: "failed",
      leftBehind: expect.stringContaining("stuck-container"),
    });
  });
});
