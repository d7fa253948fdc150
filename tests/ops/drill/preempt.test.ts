import { createContainer } from "../../../ops/containers/create";
import { digestOf } from "../../../ops/drill/losses";
import { drillPreemption } from "../../../ops/drill/preempt";
import { ACKNOWLEDGED_FILE } from "../../../ops/drill/scripts";
import { withServer } from "../../../ops/host/server";
import type { FakeInstance } from "../../fakes/fake-incus-replies";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { keys } from "../../bin/harness";

const homeDigest = "a".repeat(64);
const written = 12;
const file = (content: string) => ({ type: "file" as const, content, uid: 0, gid: 0, mode: 0o644 });

let fake: FakeServer;
/** What containers say when they are examined, by user; the truth unless a test tampers with it. */
let tampered: Record<string, (drill: string) => string>;

/** Plays the scripts' part: which of them runs is told by its name, `$0`. */
function play(instance: FakeInstance, command: string[]): string | undefined {
  const user = instance.config["user.containarium.user"]!;
  if (command[3] === "prepare") {
    instance.files.set(ACKNOWLEDGED_FILE, file(`${written}\n`));
    instance.files.set("/drill", file(command[4]!));
    return `5 ${homeDigest}\n`;
  }
  if (command[3] !== "examine") return undefined;
  const drill = instance.files.get("/drill")!.content;
  return tampered[user]?.(drill) ?? `${written + 1} ${digestOf(drill, Number(command[4]))} ${homeDigest} 0\n`;
}

beforeEach(async () => {
  fake = await startFakeServer();
  tampered = {};
  fake.incus.onExec = play;
  fake.helper.onDie = () => fake.cut();
  await withServer(fake.address, {}, async (server) => {
    for (const user of ["ann", "ben"]) await createContainer(server, { user, sshKeys: [keys.alice] });
  });
  fake.incus.executed.length = 0;
});
afterEach(() => fake.close());

test("everybody writes, the server ends and is back, and nothing is lost", async () => {
  const titles: string[] = [];
  const drill = await drillPreemption(fake.address, { onStep: ({ title }) => titles.push(title) });
  expect(drill).toMatchObject({ server: "jump-1", ended: "restart", problems: [] });
  expect(drill.people).toEqual(
    ["ann", "ben"].map((user) => ({
      user,
      acknowledged: written,
      kept: written,
      homeFiles: 5,
      backMilliseconds: expect.any(Number),
      problems: [],
    })),
  );
  expect(titles.slice(0, 3)).toEqual(["2 people write", "The server ended", "SSH answers, same host key"]);
  expect(titles.at(-1)).toBe("All is compared");
  expect(fake.helper.boots).toBe(2);
  // Its files are gone: the last thing that ran in each container takes them away.
  for (const user of ["ann", "ben"]) {
    const ran = fake.incus.executed.filter((line) => line.startsWith(`${user}-container: `));
    expect(ran.at(-1)).toMatch(/rm -rf \/var\/lib\/containarium-drill/);
  }
});

test.each<[string, string, (drill: string) => string]>([
  ["lost", "lines that are gone", (drill) => `3 ${digestOf(drill, 3)} ${homeDigest} 0`],
  ["changed", "lines that are other ones", () => `${written} ${digestOf("other", written)} ${homeDigest} 0`],
  ["changed", "a home that is another one", (drill) => `${written} ${digestOf(drill, written)} ${homeDigest} 1`],
  ["lost", "an answer that is none", () => "\u001b[2J all is well"],
])("%s: %s are found with their owner, and nobody else has a problem", async (kind, _what, answer) => {
  tampered["ben"] = answer;
  const { people } = await drillPreemption(fake.address);
  expect(people.map(({ user, problems }) => [user, problems.map((problem) => problem.kind)])).toEqual([
    ["ann", []],
    ["ben", [kind]],
  ]);
  // What a container says is never shown.
  expect(JSON.stringify(people)).not.toContain("u001b");
});

test("another host key of a container is a change", async () => {
  fake.helper.onDie = () => {
    fake.incus.of("ann")!.files.set("/etc/ssh/ssh_host_ed25519_key.pub", file("ssh-ed25519 BBBB root@other\n"));
    fake.cut();
  };
  const { people } = await drillPreemption(fake.address);
  expect(people[0]?.problems).toEqual([{ kind: "changed", message: "their container shows another host key" }]);
  expect(people[1]?.problems).toEqual([]);
});

test("who does not come back in time is named, the others are compared", async () => {
  fake.helper.onDie = () => {
    fake.incus.of("ben")!.status = "Stopped";
    fake.cut();
  };
  const { people } = await drillPreemption(fake.address, { timeoutMs: 3000 });
  expect(people.map(({ user, kept, problems }) => [user, kept, problems.map(({ kind }) => kind)])).toEqual([
    ["ann", written, []],
    ["ben", 0, ["not-back"]],
  ]);
});

test("a server that stays away is a problem of its own", async () => {
  fake.helper.onDie = () => void fake.stop();
  const drill = await drillPreemption(fake.address, { timeoutMs: 1000 });
  expect(drill.problems).toEqual([{ kind: "not-back", message: expect.stringContaining("jump-1 to answer again") }]);
  expect(drill.people.map(({ problems }) => problems.map(({ kind }) => kind))).toEqual([["not-back"], ["not-back"]]);
});

test("a startup that does not come through is a problem of the server; people who are in are compared", async () => {
  fake.helper.onDie = () => {
    fake.helper.ready = false;
    fake.cut();
  };
  const { people, problems } = await drillPreemption(fake.address, { timeoutMs: 2000 });
  expect(problems).toEqual([{ kind: "not-back", message: expect.stringContaining("the startup of jump-1") }]);
  expect(people.map(({ kept, problems }) => [kept, problems])).toEqual([
    [written, []],
    [written, []],
  ]);
});

test("who was not well before is named and never passes for proven", async () => {
  fake.incus.onExec = (instance, command) => (instance.name.startsWith("ben") ? "nonsense" : play(instance, command));
  const { people } = await drillPreemption(fake.address);
  expect(people.map(({ problems }) => problems.map(({ kind }) => kind))).toEqual([[], ["unproven"]]);
});

test("who is not to start by themselves is started again", async () => {
  fake.incus.of("ben")!.config["boot.autostart"] = "false";
  fake.helper.onDie = () => {
    fake.incus.of("ben")!.status = "Stopped";
    fake.cut();
  };
  const { people } = await drillPreemption(fake.address);
  expect(people[1]?.problems).toEqual([]);
  expect(fake.incus.of("ben")?.status).toBe("Running");
});

test("Ctrl-C before the end ends nothing, and takes away what was begun", async () => {
  const stop = new AbortController();
  const drill = drillPreemption(fake.address, { signal: stop.signal, onStep: () => stop.abort() });
  await expect(drill).rejects.toMatchObject({ kind: "interrupted" });
  expect(fake.helper.boots).toBe(1);
  expect(fake.incus.executed.at(-1)).toMatch(/rm -rf/);
});

test("a server whose startup is not through is left alone", async () => {
  fake.helper.ready = false;
  await expect(drillPreemption(fake.address)).rejects.toMatchObject({ kind: "failed" });
  expect(fake.helper.boots).toBe(1);
  expect(fake.incus.executed).toEqual([]);
});
