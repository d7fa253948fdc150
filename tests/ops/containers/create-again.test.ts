import { createContainer, getContainer, openServer, type CreateStep, type Server } from "../../../ops";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { waitFor } from "../../../ops/wait";
import { ALICE_KEY, BOB_KEY } from "../../fakes/keys";

describe("createContainer, again or beside others", () => {
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

  describe("when it exists already", () => {
    beforeEach(async () => {
      await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
    });

    it("is a conflict, and the living one is untouched", async () => {
      const before = structuredClone(fake.incus.of("alice")!.config);
      await expect(createContainer(server, { user: "alice", sshKeys: [BOB_KEY] })).rejects.toMatchObject({
        kind: "conflict",
      });
      expect(fake.incus.of("alice")!.config).toEqual(before);
      expect(fake.helper.accounts.get("alice")!.keys).toEqual([ALICE_KEY]);
    });

    it("adopts it when asked to, changing nothing when all agrees", async () => {
      fake.incus.requests.length = 0;
      const container = await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] }, { ifExists: "adopt" });
      expect(container).toMatchObject({ user: "alice", status: "running", ip: "10.0.3.10" });
      expect(fake.incus.requests.filter((request) => /^(PUT|PATCH|DELETE)/.test(request))).toEqual([]);
    });

    it("adopts it with other keys: on both hops", async () => {
      await createContainer(server, { user: "alice", sshKeys: [BOB_KEY] }, { ifExists: "adopt" });
      expect(fake.helper.accounts.get("alice")!.keys).toEqual([BOB_KEY]);
      const file = fake.incus.of("alice")!.files.get("/etc/ssh/authorized_keys.d/alice")!.content;
      expect(file).toContain(BOB_KEY);
      expect(file).not.toContain(ALICE_KEY);
    });

    it("does not adopt one from another image", async () => {
      fake.incus.images.push({
        ...fake.incus.images[0]!,
        aliases: [{ name: "containarium/debian/12", description: "" }],
      });
      const failure = createContainer(
        server,
        { user: "alice", sshKeys: [ALICE_KEY], image: "debian/12" },
        { ifExists: "adopt" },
      );
      await expect(failure).rejects.toMatchObject({ kind: "invalid" });
    });
  });

  describe("after a run that was killed", () => {
    it.each(["Stopped", "Running"] as const)("completes what it left (%s)", async (status) => {
      await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
      const instance = fake.incus.of("alice")!;
      instance.config["user.containarium.state"] = "creating";
      instance.config["user.containarium.run"] = "killed";
      instance.status = status;
      fake.helper.accounts.clear();

      expect(await getContainer(server, "alice")).toMatchObject({ status: "half-made" });
      const container = await createContainer(server, { user: "alice", sshKeys: [BOB_KEY], memory: "1GiB" });
      expect(container).toMatchObject({ status: "running", ip: "10.0.3.10", memory: "1GiB" });
      expect(fake.helper.accounts.get("alice")!.keys).toEqual([BOB_KEY]);
      expect(fake.incus.instances.size).toBe(1);
    });

    it("waits while Incus still copies what that run had asked for", async () => {
      const config = { "user.containarium.schema": "1", "user.containarium.user": "alice", "user.containarium.state": "creating", "user.containarium.image": "debian/13" }; // prettier-ignore
      fake.incus.add({ name: "alice-container", config });
      const resources = { instances: ["/1.0/instances/alice-container"] };
      fake.incus.atWork.push({ description: "Creating instance", status_code: 103, resources });
      const changes = () => fake.incus.requests.filter((request) => /^P.* .*alice-container/.test(request));
      const creating = createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
      const looks = () => fake.incus.requests.filter((request) => request === "GET /1.0/operations").length;
      await waitFor(() => looks() > 2, { timeoutMs: 5000, what: "it to look again" });
      expect(changes()).toEqual([]);
      fake.incus.atWork[0]!.description = "Executing command";
      expect((await creating).status).toBe("running");
    });

    it("makes it where Incus has taken back what that run had asked for", async () => {
      const config = { "user.containarium.schema": "1", "user.containarium.user": "alice", "user.containarium.state": "creating", "user.containarium.image": "debian/13" }; // prettier-ignore
      fake.incus.add({ name: "alice-container", config });
      const resources = { instances: ["/1.0/instances/alice-container"] };
      fake.incus.atWork.push({ description: "Creating instance", status_code: 103, resources });
      const creating = createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
      await waitFor(() => fake.incus.requests.includes("GET /1.0/operations"), { timeoutMs: 5000, what: "it to wait" });
      fake.incus.instances.delete("alice-container");
      fake.incus.atWork.length = 0;
      expect((await creating).status).toBe("running");
    });

    it("makes it anew where an Incus that was killed has not come to its disk", async () => {
      await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
      fake.incus.of("alice")!.config["user.containarium.state"] = "creating";
      fake.incus.of("alice")!.status = "Stopped";
      fake.incus.missingDisks.add("alice-container");
      expect((await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] })).status).toBe("running");
      expect(fake.incus.requests.filter((request) => request === "POST /1.0/instances")).toHaveLength(2);
    });

    it("leaves it half-made when it fails again, since it was there before", async () => {
      fake.incus.add({
        name: "fail-start-container",
        config: {
          "user.containarium.schema": "1",
          "user.containarium.user": "fail-start",
          "user.containarium.state": "creating",
          "user.containarium.image": "debian/13",
        },
      });
      const failure = createContainer(server, { user: "fail-start", sshKeys: [ALICE_KEY] });
      await expect(failure).rejects.toMatchObject({
        kind: "failed",
        leftBehind: "fail-start-container, half-made as before",
      });
      expect(fake.incus.of("fail-start")).toBeDefined();
    });
  });

  describe("beside other runs", () => {
    it.each(["raced", "raced-closely"])("%s: loses the name, and does not touch theirs", async (user) => {
      const failure = createContainer(server, { user, sshKeys: [ALICE_KEY] });
      await expect(failure).rejects.toMatchObject({
        kind: "conflict",
        message: expect.stringContaining("somebody else is making"),
      });
      expect(fake.incus.of(user)!.config["user.containarium.run"]).toBe("other");
    });

    it("leaves it to a later run that took it over", async () => {
      const onStep = ({ index }: CreateStep) => {
        if (index === 6) fake.incus.of("alice")!.config["user.containarium.run"] = "later";
      };
      const failure = createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] }, { onStep });
      await expect(failure).rejects.toMatchObject({ kind: "conflict", leftBehind: undefined });
      expect(fake.incus.of("alice")!.config).toMatchObject({ "user.containarium.state": "creating" });
      expect(fake.helper.accounts.has("alice")).toBe(true);
    });

    it("makes one container of two creates of one name", async () => {
      const twice = await Promise.allSettled(
        [1, 2].map(() => createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] })),
      );
      expect(twice.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(twice.find(({ status }) => status === "rejected")).toMatchObject({ reason: { kind: "conflict" } });
      expect(await getContainer(server, "alice")).toMatchObject({ status: "running" });
    });

    it("takes another address when somebody else got the same", async () => {
      const { ip } = await createContainer(server, { user: "twin", sshKeys: [ALICE_KEY] });
      expect(ip).not.toBe("10.0.3.10");
      expect(fake.incus.of("twin")!.devices["eth0"]!["ipv4.address"]).toBe(ip);
      expect(fake.helper.accounts.get("twin")!.target).toBe(ip);
    });

    it.each(["GET", "POST"])("asks again when Incus' process for files has just ended: %s", async (method) => {
      const gone = "dial unix /proc/self/fd/123/forkfile.sock: connect: no such file or directory";
      const path = "/etc/containarium/user.json";
      fake.incus.refuseNext(`${method} /1.0/instances/alice-container/files`, path, gone);
      expect((await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] })).status).toBe("running");
      expect(fake.incus.refusals).toEqual([]);
      expect(fake.helper.requests).toContainEqual({ op: "files.mend", name: "alice-container" });
    });

    it("takes another address when somebody started with the same one first", async () => {
      const { ip } = await createContainer(server, { user: "late-twin", sshKeys: [ALICE_KEY] });
      expect(ip).not.toBe("10.0.3.10");
      expect(fake.incus.of("late-twin")!.devices["eth0"]!["ipv4.address"]).toBe(ip);
      expect(fake.helper.accounts.get("late-twin")!.target).toBe(ip);
    });

    it("gives every one of many its own address", async () => {
      const users = ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"];
      const made = await Promise.all(users.map((user) => createContainer(server, { user, sshKeys: [ALICE_KEY] })));
      expect(new Set(made.map(({ ip }) => ip)).size).toBe(users.length);
    });

    it("changes the newest version when somebody changed it meanwhile", async () => {
      await createContainer(server, { user: "changed", sshKeys: [ALICE_KEY] });
      expect(fake.incus.of("changed")!.config).toMatchObject({
        "user.note": "somebody was here",
        "user.containarium.state": "ready",
      });
    });
  });
});
