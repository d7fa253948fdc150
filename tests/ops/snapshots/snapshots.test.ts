import {
  addKeys,
  createContainer,
  createSnapshot,
  deleteContainer,
  deleteSnapshot,
  listSnapshots,
  openServer,
  parseKeySelector,
  parsePublicKey,
  removeKeys,
  resizeContainer,
  restoreSnapshot,
  type Server,
} from "../../../ops";
import { waitFor } from "../../../ops/wait";
import { parseExpiry } from "../../../ops/snapshots/expiry";
import { nameByTime, parseSnapshotName } from "../../../ops/snapshots/name";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { ALICE_KEY, BOB_KEY } from "../../fakes/keys";

let fake: FakeServer;
let server: Server;
const alice = () => fake.incus.of("alice")!;
const keysInContainer = () => alice().files.get("/etc/ssh/authorized_keys.d/alice")!.content;

beforeEach(async () => {
  fake = await startFakeServer();
  server = await openServer(fake.address);
  await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY, BOB_KEY] });
});
afterEach(async () => {
  await server.close();
  await fake.close();
});

it("are made, listed and deleted, with their expiry", async () => {
  const expiresAt = "2027-01-01T00:00:00.000Z";
  expect(await createSnapshot(server, "alice", "one", { expiresAt })).toMatchObject({ name: "one", expiresAt });
  await createSnapshot(server, "alice", "two");
  expect(await listSnapshots(server, "alice")).toMatchObject([{ name: "one", expiresAt }, { name: "two" }]);
  await deleteSnapshot(server, "alice", "one");
  expect((await listSnapshots(server, "alice")).map(({ name }) => name)).toEqual(["two"]);
});

it("a taken name is a conflict, an unknown one not found, a bad one invalid", async () => {
  await createSnapshot(server, "alice", "one");
  await expect(createSnapshot(server, "alice", "one")).rejects.toMatchObject({ kind: "conflict" });
  await expect(restoreSnapshot(server, "alice", "none")).rejects.toMatchObject({ kind: "not-found" });
  await expect(deleteSnapshot(server, "alice", "none")).rejects.toMatchObject({ kind: "not-found" });
  await expect(createSnapshot(server, "alice", "a/b")).rejects.toMatchObject({ kind: "invalid" });
  expect(alice().status).toBe("Running");
});

describe("restoreSnapshot", () => {
  /** As after a move, or an end of the network device: dnsmasq gives the address to nobody else's. */
  const MAC_NOW = "10:66:6a:00:00:02";
  beforeEach(async () => {
    alice().files.set("/home", { type: "file", content: "then", uid: 0, gid: 0, mode: 0o644 });
    alice().config["volatile.eth0.hwaddr"] = "10:66:6a:00:00:01";
    await createSnapshot(server, "alice", "then");
    alice().config["volatile.eth0.hwaddr"] = MAC_NOW;
    alice().files.get("/home")!.content = "now";
    await removeKeys(server, "alice", [parseKeySelector("bob@laptop")]);
    await resizeContainer(server, "alice", { memory: "8GiB", diskQuota: "50GB" });
    alice().config["user.note"] = "newer than the snapshot";
  });

  it("puts the disk back, but no key that was shut out since, nor old limits", async () => {
    const container = await restoreSnapshot(server, "alice", "then");
    expect(alice().files.get("/home")!.content).toBe("then");
    expect(container).toMatchObject({ status: "running", memory: "8GiB", diskQuota: "50GB" });
    expect(container.keys).toMatchObject([{ comment: "alice@laptop" }]);
    expect(keysInContainer()).not.toContain(BOB_KEY);
    expect(fake.helper.accounts.get("alice")!.keys).toEqual([ALICE_KEY]);
    expect(alice().config).toMatchObject({ "user.note": "newer than the snapshot", "volatile.eth0.hwaddr": MAC_NOW });
  });

  it("says of what ran at the snapshot that it is stopped: who starts it waits for no clean-up", async () => {
    alice().snapshots[0]!.config["volatile.last_state.power"] = "RUNNING";
    await restoreSnapshot(server, "alice", "then");
    expect(alice().config["volatile.last_state.power"]).toBe("STOPPED");
  });

  it("waits for Incus to clean up behind one that has just ended by itself", async () => {
    alice().status = "Stopped";
    alice().config["volatile.last_state.power"] = "RUNNING";
    const restored = () => fake.incus.requests.includes("PUT /1.0/instances/alice-container");
    const restoring = restoreSnapshot(server, "alice", "then");
    const looks = () =>
      fake.incus.requests.filter((request) => request === "GET /1.0/instances/alice-container").length;
    const before = looks();
    await waitFor(() => looks() > before + 4, { timeoutMs: 5000, what: "it to look again" });
    expect(restored()).toBe(false);
    alice().config["volatile.last_state.power"] = "STOPPED";
    await restoring;
    expect(restored()).toBe(true);
  });

  it("stops one that a run before it had begun to start", async () => {
    fake.incus.refuseNext("PUT /1.0/instances/alice-container", null, 'Instance is busy running a "start" operation');
    await restoreSnapshot(server, "alice", "then");
    expect(alice().files.get("/home")!.content).toBe("then");
    expect(fake.incus.refusals).toEqual([]);
  });

  it("leaves a stopped one stopped", async () => {
    alice().status = "Stopped";
    expect(await restoreSnapshot(server, "alice", "then")).toMatchObject({ status: "stopped" });
  });

  it("killed in the middle, when the old record was back: the next run still knows the keys of now", async () => {
    const { snapshots } = alice();
    Object.assign(alice(), structuredClone({ config: snapshots[0]!.config, files: snapshots[0]!.files }));
    alice().status = "Stopped";
    await restoreSnapshot(server, "alice", "then");
    expect(alice().config["user.containarium.keys"]).toBe(JSON.stringify([ALICE_KEY]));
    expect(keysInContainer()).not.toContain(BOB_KEY);
  });

  describe("killed in the middle, with a mark", () => {
    /** Ends before its last request to the container, as if the line was cut. */
    const cutAt = async (request: string) => {
      fake.incus.refuseNext(request);
      await expect(restoreSnapshot(server, "alice", "then")).rejects.toThrow();
      expect(Object.keys(fake.incus.config)).toEqual(["user.containarium.restoring.alice-container"]);
    };
    const completed = async () => {
      expect(await restoreSnapshot(server, "alice", "then")).toMatchObject({
        status: "running",
        memory: "8GiB",
        diskQuota: "50GB",
        keys: [{ comment: "alice@laptop" }],
      });
      expect(keysInContainer()).not.toContain(BOB_KEY);
      expect(alice().config["volatile.eth0.hwaddr"]).toBe(MAC_NOW);
      expect(fake.incus.config).toEqual({});
    };

    it.each([
      ["when Incus was about to put the disk back", "PUT /1.0/instances/alice-container"],
      ["when the old record was back", "PATCH /1.0/instances/alice-container"],
    ])("%s: the next run brings back keys, limits and the start", async (_when, request) => {
      await cutAt(request);
      // And again, when it was about to start.
      await cutAt("PUT /1.0/instances/alice-container/state");
      await completed();
    });

    it("Incus itself was killed, and stumbles over the disk that it has put aside: that is mended, and only that", async () => {
      const path = "/pool/containers/alice-container";
      const message = `Failed to rename "${path}" to "${path}.incustmp": rename ${path} ${path}.incustmp: file exists`;
      fake.incus.refuseNext("PUT /1.0/instances/alice-container", null, message);
      await completed();
      expect(fake.helper.mended).toEqual(["alice"]);
      await cutAt("PUT /1.0/instances/alice-container");
      expect(fake.helper.mended).toEqual(["alice"]);
    });

    it("the same where the server has booted in between, and opened what the old record said", async () => {
      await cutAt("PATCH /1.0/instances/alice-container");
      fake.helper.accounts.get("alice")!.keys.push(BOB_KEY);
      await completed();
      expect(fake.helper.accounts.get("alice")!.keys).toEqual([ALICE_KEY]);
    });

    it("nothing else may change it meanwhile; whoever is made in its place is not bound by it", async () => {
      await cutAt("PATCH /1.0/instances/alice-container");
      const refused = { kind: "conflict", remedy: expect.stringContaining("snapshot restore alice then --force") };
      await expect(resizeContainer(server, "alice", { memory: "1GiB" })).rejects.toMatchObject(refused);
      await expect(addKeys(server, "alice", [parsePublicKey(BOB_KEY, "bob")])).rejects.toMatchObject(refused);
      await expect(createContainer(server, { user: "alice", sshKeys: [BOB_KEY] }, { ifExists: "adopt" })).rejects.toMatchObject(refused); // prettier-ignore
      await deleteContainer(server, "alice");
      expect(fake.incus.config).toEqual({});
    });

    it("who is deleted then leaves no disk that a killed Incus has put aside", async () => {
      await cutAt("PATCH /1.0/instances/alice-container");
      // It starts with its server.
      alice().status = "Running";
      await deleteContainer(server, "alice");
      expect(fake.helper.mended).toEqual(["alice"]);
      await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
      await deleteContainer(server, "alice");
      expect(fake.helper.mended).toEqual(["alice"]);
    });

    it("of an earlier container of that name: none of this one's business", async () => {
      fake.incus.config["user.containarium.restoring.alice-container"] = JSON.stringify({
        createdAt: "2020-01-01T00:00:00.000Z",
        snapshot: "then",
        running: true,
        config: {},
        devices: {},
      });
      await resizeContainer(server, "alice", { memory: "1GiB" });
      expect(alice().config["limits.memory"]).toBe("1GiB");
    });
  });

  it("says what is left when it fails in the middle, and again completes it", async () => {
    fake.incus.refuseNext("PATCH /1.0/instances/alice-container");
    await expect(restoreSnapshot(server, "alice", "then")).rejects.toMatchObject({
      leftBehind: expect.stringContaining("keys and limits are perhaps not those of now"),
      remedy: expect.stringContaining("containarium-ops snapshot restore alice then --force"),
    });
    await restoreSnapshot(server, "alice", "then");
    expect(alice().status).toBe("Running");
    await addKeys(server, "alice", [parsePublicKey(BOB_KEY, "bob")]);
    expect(keysInContainer()).toContain(BOB_KEY);
  });
});

describe("names and expiry", () => {
  it("are checked", () => {
    expect(parseSnapshotName("before-exam.2")).toBe("before-exam.2");
    for (const name of ["", "-x", "a b", "x".repeat(64), "a/b"]) expect(() => parseSnapshotName(name)).toThrow();
    const now = new Date("2026-11-25T15:01:30.123Z");
    expect(nameByTime(now)).toBe("2026-11-25-150130");
    expect(parseExpiry("30d", now)).toBe("2026-12-25T15:01:30.123Z");
    expect(parseExpiry("90m", now)).toBe("2026-11-25T16:31:30.123Z");
    for (const span of ["0d", "-1d", "1.5h", "30", "1y", ""]) expect(() => parseExpiry(span, now)).toThrow();
  });
});
