import { createContainer, openServer, type CreateStep, type Server } from "../../../ops";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { ALICE_KEY, BOB_KEY } from "../../fakes/keys";
import { until } from "../../until";

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

  it("a container that answers, and did not make its user, is no success: started again once, then taken back", async () => {
    const failure = createContainer(server, { user: "no-account", sshKeys: [ALICE_KEY] });
    await expect(failure).rejects.toThrow(/no-account-container did not make the account of no-account/);
    expect(fake.incus.requests.filter((one) => one === "PUT /1.0/instances/no-account-container/state").length).toBeGreaterThanOrEqual(3); // prettier-ignore
    nothingLeft();
  });

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

  it("writes the files while the instance is stopped, opens the account while it starts, and is ready last", async () => {
    await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
    const changes = fake.incus.requests.filter((request) => /^(POST|PUT|PATCH)/.test(request));
    expect(changes[0]).toBe("POST /1.0/instances");
    expect(changes.slice(1, 5)).toEqual(Array(4).fill("POST /1.0/instances/alice-container/files"));
    expect(changes.slice(5)).toEqual([
      "PUT /1.0/instances/alice-container/state",
      // The keys' folder: they are looked at once more.
      "POST /1.0/instances/alice-container/files",
      "PATCH /1.0/instances/alice-container",
    ]);
    const ops = fake.helper.requests.map(({ op }) => op).filter((op) => op !== "server.status");
    expect(ops).toEqual(["account.check", "create.mend", "account.put", "path.verify"]);
  });

  it("runs nothing on the server but the two constant commands, whatever the input says", async () => {
    await createContainer(server, { user: "alice", sshKeys: [`${ALICE_KEY} $(touch /tmp/x); \`id\` "quoted"`] });
    expect(new Set(fake.commands)).toEqual(
      new Set(["sudo -n /usr/local/sbin/containarium-host serve", "sudo -n nc -U /var/lib/incus/unix.socket"]),
    );
  });

  it("a disk that a dead server left in its place, without a container: that goes before", async () => {
    fake.incus.leftDisks.set("alice-container", "empty");
    await expect(createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] })).resolves.toMatchObject({
      user: "alice",
    });
  });

  it("a disk with somebody's files stays, and Incus, which would destroy it, is not asked", async () => {
    fake.incus.leftDisks.set("alice-container", "used");
    const failure = createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
    await expect(failure).rejects.toThrow(/a disk with somebody's files/);
    expect(fake.incus.requests).not.toContain("POST /1.0/instances");
    expect(fake.incus.leftDisks.size).toBe(1);
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

    it("when the caller gives up while Incus copies the image", async () => {
      const controller = new AbortController();
      const wanted = { user: "slow-image", sshKeys: [ALICE_KEY] };
      const failure = createContainer(server, wanted, { signal: controller.signal });
      failure.catch(() => undefined);
      await until(() => fake.incus.requests.includes("POST /1.0/instances"), 5, "Incus to be asked");
      controller.abort();
      await expect(failure).rejects.toMatchObject({ kind: "interrupted", leftBehind: undefined });
      await new Promise((resolve) => setTimeout(resolve, 200));
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

  it("waits on when a wait for an operation ran out of time, which Incus tells as an error", async () => {
    await createContainer(server, { user: "slow-start", sshKeys: [ALICE_KEY] });
    const waits = fake.incus.requests.filter((request) => /operations.*wait/.test(request));
    expect(waits).toHaveLength(3); // one for the copy, two for the start
  });
});
