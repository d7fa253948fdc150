import {
  addKeys,
  createContainer,
  openServer,
  parseKeySelector,
  parsePublicKey,
  removeKeys,
  replaceKeys,
  type Server,
} from "../../../ops";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { ALICE_KEY, BOB_KEY, keyOf } from "../../fakes/keys";

const THIRD_KEY = `${keyOf("ssh-ed25519", Buffer.alloc(32, 3))} third`;
const key = (line: string) => parsePublicKey(line, "key");
const commented = (text: string) => [parseKeySelector(text)];
const RECORD = "user.containarium.keys";
const STALE = "user.containarium.stale-keys";

let fake: FakeServer;
let server: Server;

beforeEach(async () => {
  fake = await startFakeServer();
  server = await openServer(fake.address);
  await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY, BOB_KEY] });
  fake.helper.requests.length = 0;
});
afterEach(async () => {
  await server.close();
  await fake.close();
});

/** The keys at each place where they can be, by comment. */
function everywhere(user = "alice") {
  const { config, files } = fake.incus.of(user)!;
  const comments = (lines: string[]) =>
    lines.filter((line) => line.startsWith("ssh-")).map((line) => line.split(" ")[2]);
  return {
    record: comments(JSON.parse(config[RECORD]!) as string[]),
    stale: comments(JSON.parse(config[STALE] ?? "[]") as string[]),
    container: comments(files.get(`/etc/ssh/authorized_keys.d/${user}`)!.content.split("\n")),
    jump: comments(fake.helper.accounts.get(user)?.keys ?? []),
  };
}
const same = (...comments: string[]) => ({ record: comments, stale: [], container: comments, jump: comments });
const sessionsCut = () => fake.helper.requests.filter(({ op }) => op === "account.endSessions").length;

describe("addKeys", () => {
  it("adds at both hops and in the record, and cuts nothing", async () => {
    const change = await addKeys(server, "alice", [key(THIRD_KEY)]);
    expect(change).toMatchObject({ added: [{ comment: "third" }], removed: [], sessionsCut: false });
    expect(everywhere()).toEqual(same("alice@laptop", "bob@laptop", "third"));
    expect(sessionsCut()).toBe(0);
  });

  it("knows a key by its data: another comment is no other key", async () => {
    const change = await addKeys(server, "alice", [key(ALICE_KEY.replace("alice@laptop", "renamed"))]);
    expect(change.added).toEqual([]);
    expect(everywhere()).toEqual(same("alice@laptop", "bob@laptop"));
  });

  it("says that nobody is there, half-made and not ours", async () => {
    await expect(addKeys(server, "bob", [key(BOB_KEY)])).rejects.toMatchObject({ kind: "not-found" });
    fake.incus.of("alice")!.config["user.containarium.state"] = "creating";
    await expect(addKeys(server, "alice", [key(THIRD_KEY)])).rejects.toMatchObject({ kind: "conflict" });
    fake.incus.add({ name: "bob-container" });
    await expect(addKeys(server, "bob", [key(BOB_KEY)])).rejects.toMatchObject({ kind: "conflict" });
  });
});

describe("removeKeys", () => {
  it("removes by comment, by fingerprint and by the key, and cuts sessions at both hops", async () => {
    const change = await removeKeys(server, "alice", commented("alice@laptop"));
    expect(change).toMatchObject({ removed: [{ comment: "alice@laptop" }], sessionsCut: true });
    expect(everywhere()).toEqual(same("bob@laptop"));
    expect(sessionsCut()).toBe(1);
    expect(fake.incus.executed).toEqual(["alice-container: pkill -KILL -u alice ^sshd"]);
    await addKeys(server, "alice", [key(ALICE_KEY)]);
    await removeKeys(server, "alice", [parseKeySelector(key(ALICE_KEY).fingerprint)]);
    await addKeys(server, "alice", [key(ALICE_KEY)]);
    await removeKeys(server, "alice", [{ key: key(ALICE_KEY) }]);
    expect(everywhere()).toEqual(same("bob@laptop"));
  });

  it("shuts the key out before it cuts sessions: nobody comes back in between", async () => {
    await removeKeys(server, "alice", commented("alice@laptop"));
    expect(fake.helper.requests.map(({ op }) => op)).toEqual(["account.put", "account.endSessions"]);
  });

  it("refuses the last one, and an unknown or ambiguous one, and changes nothing", async () => {
    const both = [...commented("alice@laptop"), ...commented("bob@laptop")];
    await expect(removeKeys(server, "alice", both)).rejects.toMatchObject({ kind: "invalid" });
    await expect(removeKeys(server, "alice", commented("nobody"))).rejects.toMatchObject({ kind: "not-found" });
    const twin = `${keyOf("ssh-ed25519", Buffer.alloc(32, 4))} bob@laptop`;
    await addKeys(server, "alice", [key(twin)]);
    await expect(removeKeys(server, "alice", commented("bob@laptop"))).rejects.toMatchObject({
      kind: "invalid",
      remedy: expect.stringContaining(key(twin).fingerprint),
    });
    expect(everywhere()).toEqual(same("alice@laptop", "bob@laptop", "bob@laptop"));
    expect(sessionsCut()).toBe(0);
  });

  it("by force also the last one: no jump account is left, and another key opens it again", async () => {
    await removeKeys(server, "alice", commented("bob@laptop"));
    await removeKeys(server, "alice", commented("alice@laptop"), { force: true });
    expect(everywhere()).toEqual(same());
    expect(fake.helper.accounts.has("alice")).toBe(false);
    await addKeys(server, "alice", [key(THIRD_KEY)]);
    expect(everywhere()).toEqual(same("third"));
  });

  it("of a stopped container works, too", async () => {
    fake.incus.of("alice")!.status = "Stopped";
    await removeKeys(server, "alice", commented("alice@laptop"));
    expect(everywhere()).toEqual(same("bob@laptop"));
  });

  it("of one that only the stack still knows is no error", async () => {
    await removeKeys(server, "alice", commented("alice@laptop"));
    const again = await removeKeys(server, "alice", commented("alice@laptop"), { alsoKnown: [key(ALICE_KEY)] });
    expect(again).toMatchObject({ removed: [{ comment: "alice@laptop" }], sessionsCut: false });
  });
});

describe("replaceKeys", () => {
  it("replaces all, or the one that is named", async () => {
    await replaceKeys(server, "alice", [key(THIRD_KEY)], { old: commented("alice@laptop") });
    expect(everywhere()).toEqual(same("bob@laptop", "third"));
    const change = await replaceKeys(server, "alice", [key(ALICE_KEY)]);
    expect(change).toMatchObject({ added: [{ comment: "alice@laptop" }], removed: [{}, {}], sessionsCut: true });
    expect(everywhere()).toEqual(same("alice@laptop"));
  });

  it("keeps a key that is in both", async () => {
    const change = await replaceKeys(server, "alice", [key(ALICE_KEY), key(BOB_KEY)]);
    expect(change).toMatchObject({ added: [], removed: [], sessionsCut: false });
  });
});

describe("all or nothing", () => {
  it.each(["/etc/ssh/authorized_keys.d/alice", "account.put"])("a failure at %s is taken back", async (where) => {
    const { answer } = fake.helper;
    let failures = 0;
    if (where === "account.put") {
      fake.helper.answer = function (input: string) {
        const reply = answer.call(this, input);
        const isFirst = (JSON.parse(input) as { op: string }).op === "account.put" && failures++ === 0;
        return isFirst ? { ok: false, error: { code: "failed", message: "no space left" } } : reply;
      };
    } else fake.incus.refuseNext(`POST /1.0/instances/alice-container/files`, where);
    await expect(removeKeys(server, "alice", commented("alice@laptop"))).rejects.toMatchObject({ kind: "failed" });
    expect(everywhere()).toEqual(same("alice@laptop", "bob@laptop"));
    expect(sessionsCut()).toBe(0);
  });

  it("what cannot be taken back is said, and the same command completes it", async () => {
    fake.helper.foreign.add("alice");
    await expect(removeKeys(server, "alice", commented("alice@laptop"))).rejects.toMatchObject({
      kind: "conflict",
      leftBehind: expect.stringContaining("perhaps not at both hops"),
      remedy: expect.stringContaining("containarium-ops keys list alice"),
    });
    fake.helper.foreign.delete("alice");
    await removeKeys(server, "alice", commented("alice@laptop"));
    expect(everywhere()).toEqual(same("bob@laptop"));
    expect(sessionsCut()).toBe(1);
  });

  it("a run that was killed after any step is completed by running it again", async () => {
    // After the record, before the hops.
    const { config } = fake.incus.of("alice")!;
    config[STALE] = config[RECORD]!;
    config[RECORD] = JSON.stringify([BOB_KEY]);
    await removeKeys(server, "alice", commented("alice@laptop"));
    expect(everywhere()).toEqual(same("bob@laptop"));
    expect(sessionsCut()).toBe(1);
  });

  it("sessions that could not be cut: said, and cut by the next run", async () => {
    await createContainer(server, { user: "fail-sessions", sshKeys: [ALICE_KEY, BOB_KEY] });
    await expect(removeKeys(server, "fail-sessions", commented("alice@laptop"))).rejects.toMatchObject({
      leftBehind: expect.stringContaining("a session of a removed key may still be open"),
    });
    expect(everywhere("fail-sessions")).toMatchObject({ record: ["bob@laptop"], jump: ["bob@laptop"] });
    expect(everywhere("fail-sessions").stale).toEqual(["alice@laptop", "bob@laptop"]);
  });

  it("two at once: both changes are there", async () => {
    await Promise.all([
      addKeys(server, "alice", [key(THIRD_KEY)]),
      removeKeys(server, "alice", commented("bob@laptop")),
    ]);
    expect(everywhere()).toEqual(same("alice@laptop", "third"));
  });

  it("somebody else's change in the middle of ours reaches both hops: the last to write has read last", async () => {
    const { answer } = fake.helper;
    let interfered = false;
    fake.helper.answer = function (input: string) {
      // The record of the operation comes before all.
      if (input.includes('"audit.')) return answer.call(this, input);
      if (!interfered) fake.incus.of("alice")!.config[RECORD] = JSON.stringify([THIRD_KEY]);
      interfered = true;
      return answer.call(this, input);
    };
    const change = await removeKeys(server, "alice", commented("alice@laptop"));
    expect(change.keys).toMatchObject([{ comment: "third" }]);
    expect(everywhere()).toEqual(same("third"));
  });
});

describe("parseKeySelector", () => {
  it.each(["SHA256:abc", "MD5:00:11", "", " "])("refuses %j", (text) => {
    expect(() => parseKeySelector(text)).toThrow();
  });
});
