import { createContainer, getContainer, openServer, type CreateStep, type Server } from "../../../ops";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { ALICE_KEY, BOB_KEY } from "../../fakes/keys";

describe("createContainer", () => {
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

  const nothingLeft = () => {
    expect([...fake.incus.instances.keys()]).toEqual([]);
    expect([...fake.helper.accounts.keys()]).toEqual([]);
  };

  it("makes the container and the way into it, in seven steps", async () => {
    const steps: CreateStep[] = [];
    const spec = {
      user: "alice",
      sshKeys: [ALICE_KEY],
      cpu: 0.5,
      memory: "512MiB",
      diskQuota: "5GB",
      autostart: false,
    };
    const container = await createContainer(server, spec, {
      onStep: (step) => steps.push(step),
      createdBy: "admin@laptop",
    });

    expect(container).toMatchObject({
      user: "alice",
      name: "alice-container",
      server: "jump-1",
      status: "running",
      ip: "10.0.3.10",
    });
    expect(container).toMatchObject({
      image: "debian/13",
      cpu: 0.5,
      memory: "512MiB",
      diskQuota: "5GB",
      autostart: false,
      docker: true,
    });
    expect(steps.map(({ title }) => title)).toEqual([
      "Created alice-container",
      "Docker, SSH and tools come with the image",
      "Prepared user alice",
      "Added SSH keys",
      "Started alice-container",
      "Opened jump account alice",
      "SSH answers",
    ]);
    expect(steps.map(({ index, total }) => `${index}/${total}`)).toEqual([
      "1/7",
      "2/7",
      "3/7",
      "4/7",
      "5/7",
      "6/7",
      "7/7",
    ]);
    expect(steps.every(({ milliseconds }) => milliseconds >= 0 && milliseconds < 10_000)).toBe(true);

    const instance = fake.incus.of("alice")!;
    expect(instance.config).toMatchObject({
      "user.containarium.schema": "1",
      "user.containarium.state": "ready",
      "user.containarium.created-by": "admin@laptop",
      "user.containarium.keys": JSON.stringify([ALICE_KEY]),
      "user.containarium.host-keys": JSON.stringify(container.hostKeys),
      "limits.cpu.allowance": "50ms/100ms",
      "security.idmap.isolated": "true",
    });
    expect(instance.config).not.toHaveProperty(["user.containarium.run"]);
    expect(instance.files.get("/etc/containarium/user.json")).toMatchObject({
      content: '{"user":"alice","docker":true}\n',
      uid: 0,
      mode: 0o644,
    });
    expect(instance.files.get("/etc/ssh/authorized_keys.d/alice")).toMatchObject({ uid: 0, gid: 0, mode: 0o644 });
    expect(instance.files.get("/etc/ssh/authorized_keys.d/alice")!.content).toContain(`${ALICE_KEY}\n`);
    expect(fake.helper.accounts.get("alice")).toMatchObject({ target: "10.0.3.10", keys: [ALICE_KEY] });
  });

  it("writes the files while the instance is stopped, opens the account after the start, and is ready last", async () => {
    await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
    const changes = fake.incus.requests.filter((request) => /^(POST|PUT|PATCH)/.test(request));
    expect(changes[0]).toBe("POST /1.0/instances");
    expect(changes.slice(1, 5)).toEqual(Array(4).fill("POST /1.0/instances/alice-container/files"));
    expect(changes.slice(5)).toEqual([
      "PUT /1.0/instances/alice-container/state",
      "PATCH /1.0/instances/alice-container",
    ]);
    const ops = fake.helper.requests.map(({ op }) => op).filter((op) => op !== "server.status");
    expect(ops).toEqual(["account.check", "account.put", "path.verify"]);
  });

  it("runs nothing on the server but the two constant commands, whatever the input says", async () => {
    await createContainer(server, { user: "alice", sshKeys: [`${ALICE_KEY} $(touch /tmp/x); \`id\` "quoted"`] });
    expect(new Set(fake.commands)).toEqual(
      new Set(["sudo -n /usr/local/sbin/containarium-host", "sudo -n nc -U /var/lib/incus/unix.socket"]),
    );
  });

  describe("takes back what it made when it fails", () => {
    it.each([
      ["fail-image", "failed", "disk quota exceeded"],
      ["fail-user", "failed", "no space left"],
      ["fail-keys", "failed", "no space left"],
      ["fail-start", "failed", "forkstart"],
      ["fail-account", "failed", "cannot lock"],
      ["half-account", "failed", "cannot write"],
      ["fail-ssh", "failed", "no SSH banner"],
      ["wrong-host", "failed", "another machine answers"],
      ["fail-ready", "failed", "database is locked"],
    ])("%s", async (user, kind, message) => {
      const failure = createContainer(server, { user, sshKeys: [ALICE_KEY] });
      await expect(failure).rejects.toMatchObject({
        kind,
        message: expect.stringContaining(message),
        leftBehind: undefined,
      });
      nothingLeft();
    });

    it("says what it could not take back, and a later run removes or completes it", async () => {
      const failure = createContainer(server, { user: "stuck", sshKeys: [ALICE_KEY] });
      await expect(failure).rejects.toMatchObject({
        kind: "failed",
        leftBehind: "stuck-container",
        remedy: expect.stringContaining("containarium-ops delete stuck"),
      });
      expect(fake.incus.of("stuck")!.config["user.containarium.state"]).toBe("creating");
    });

    it("when the caller gives up between two steps", async () => {
      const controller = new AbortController();
      const onStep = ({ index }: CreateStep) => index === 5 && controller.abort();
      const failure = createContainer(
        server,
        { user: "alice", sshKeys: [ALICE_KEY] },
        { onStep, signal: controller.signal },
      );
      await expect(failure).rejects.toMatchObject({ kind: "interrupted" });
      nothingLeft();
    });

    it("but not when the caller gives up after the last step", async () => {
      const controller = new AbortController();
      const onStep = ({ index }: CreateStep) => index === 7 && controller.abort();
      await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] }, { onStep, signal: controller.signal });
      expect(fake.incus.of("alice")).toBeDefined();
    });
  });

  describe("refuses before anything is changed", () => {
    const refused = async (spec: Parameters<typeof createContainer>[1], expected: object) => {
      await expect(createContainer(server, spec)).rejects.toMatchObject(expected);
      expect(fake.incus.requests.filter((request) => !request.startsWith("GET"))).toEqual([]);
      expect(fake.helper.requests.filter(({ op }) => !/check|status/.test(op))).toEqual([]);
    };

    it("an account of the server itself", async () => {
      await refused(
        { user: "foreign", sshKeys: [ALICE_KEY] },
        { kind: "conflict", remedy: expect.stringContaining("another name") },
      );
    });

    it("an instance that is not ours", async () => {
      fake.incus.add({ name: "alice-container", status: "Running" });
      await refused(
        { user: "alice", sshKeys: [ALICE_KEY] },
        { kind: "conflict", message: expect.stringContaining("not made by") },
      );
    });

    it("a name that becomes somebody else's container name", async () => {
      await createContainer(server, { user: "a-b", sshKeys: [ALICE_KEY] });
      const failure = createContainer(server, { user: "a_b", sshKeys: [BOB_KEY] });
      await expect(failure).rejects.toMatchObject({
        kind: "conflict",
        message: expect.stringContaining("belongs to a-b"),
      });
      expect([...fake.helper.accounts.keys()]).toEqual(["a-b"]);
    });

    it("a disk larger than the pool", async () => {
      await refused(
        { user: "alice", sshKeys: [ALICE_KEY], diskQuota: "101GB" },
        { kind: "invalid", message: expect.stringContaining("100.0 GB") },
      );
    });

    it("an image that the server does not have", async () => {
      await refused(
        { user: "alice", sshKeys: [ALICE_KEY], image: "plan9" },
        { kind: "invalid", remedy: "It has: debian/13" },
      );
    });

    it("when there is no golden image yet", async () => {
      fake.incus.images = [];
      await refused({ user: "alice", sshKeys: [ALICE_KEY] }, { kind: "not-found" });
    });

    it.each([
      [{ user: "Alice", sshKeys: [ALICE_KEY] }],
      [{ user: "root", sshKeys: [ALICE_KEY] }],
      [{ user: "alice", sshKeys: [] }],
      [{ user: "alice", sshKeys: ["banana"] }],
      [{ user: "alice", sshKeys: [ALICE_KEY], memory: "banana" }],
      [{ user: "alice", sshKeys: [ALICE_KEY], cpu: 0 }],
    ])("%j, without asking the server", async (spec) => {
      await refused(spec, { kind: "invalid", remedy: expect.any(String) });
      expect(fake.commands).toEqual([]);
    });
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
    it("loses the name to one that was faster, and does not touch theirs", async () => {
      const failure = createContainer(server, { user: "raced", sshKeys: [ALICE_KEY] });
      await expect(failure).rejects.toMatchObject({
        kind: "conflict",
        message: expect.stringContaining("somebody else is making"),
      });
      expect(fake.incus.of("raced")!.config["user.containarium.run"]).toBe("other");
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

  it("waits on when a wait for an operation ran out of time without an error", async () => {
    await createContainer(server, { user: "slow-start", sshKeys: [ALICE_KEY] });
    const waits = fake.incus.requests.filter((request) => /operations.*wait/.test(request));
    expect(waits).toHaveLength(4); // one for the copy, three for the start
  });
});
