import { BAD_INPUTS, drawFault, drawOperation, EVERY_CHANGE } from "./draw";
import { after, afterIncusBegan, doubting, nobody, type Operation, type World } from "./model";
import { Random } from "./random";

const size = { cpu: 1, memory: "512MiB", diskQuota: "3GB" };
const ann: World = after(nobody, { kind: "create", user: "ann", key: 0, autostart: true, ...size });
const all = (world: World, ...operations: Operation[]) => operations.reduce(after, world);

describe("the draws", () => {
  test("the same seed, the same draws; another seed or number, others", () => {
    const ten = (...parts: number[]) => {
      const random = new Random(...parts);
      return Array.from({ length: 10 }, () => random.between(0, 1_000_000));
    };
    expect(ten(7, 1)).toEqual(ten(7, 1));
    expect(ten(7, 1)).not.toEqual(ten(7, 2));
    expect(ten(7, 1)).not.toEqual(ten(8, 1));
    expect(ten(1, 7)).not.toEqual(ten(7, 1));
  });

  test("both ends are drawn, each about as often as the others", () => {
    const random = new Random(1);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 4000; i++) counts[random.between(0, 3)]! += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test("by weight; what has none never", () => {
    const random = new Random(2);
    const drawn = Array.from({ length: 1000 }, () => random.weighted([[1, "a"], [0, "never"], [3, "b"]] as const)); // prettier-ignore
    expect(drawn).not.toContain("never");
    expect(drawn.filter((one) => one === "b").length).toBeGreaterThan(680);
    expect(() => random.weighted([[0, "never"]])).toThrow();
  });
});

const life = (seed: number, operations: number) => {
  const story: string[] = [];
  let world = nobody;
  for (let number = 1; number <= operations; number++) {
    const random = new Random(seed, number);
    const operation = drawOperation(world, number, random);
    const fault = drawFault(operation, random);
    story.push(operation.kind, operation.kind === "bad input" ? operation.which : "", fault?.kind ?? "");
    world = after(world, operation);
    const people = Object.values(world.people);
    const possible = people.every(({ keys }) => keys.length > 0 && new Set(keys).size === keys.length);
    if (!possible || people.length > 5) throw new Error(`${number}: ${JSON.stringify(world)}`);
  }
  return story;
};
const kinds = ["create", "delete", "start", "stop", "restart", "backup", "restore", "keys add", "keys remove", "keys replace", "resize", "autostart", "write", "snapshot create", "snapshot restore", "snapshot delete", "bad input"]; // prettier-ignore
const faults = ["kill the CLI", "cut SSH", "kill Incus", "kill the server", "hold the account files", "a foreign account"]; // prettier-ignore

test("a thousand operations from a seed: each is possible where it comes, and everything comes", () => {
  const story = life(1, 1000);
  expect(story).toEqual(life(1, 1000));
  expect(story).not.toEqual(life(2, 1000));
  const several = [story, life(2, 1000), life(3, 1000)].flat();
  for (const one of [...kinds, ...faults, ...BAD_INPUTS]) expect(several).toContain(one);
});

test("every kind of operation and of fault is tried by default", () => {
  const story = life(EVERY_CHANGE.seed, EVERY_CHANGE.operations);
  for (const one of [...kinds, ...faults]) expect(story).toContain(one);
});

describe("the world", () => {
  test("a snapshot brings back what was written then, and keeps the keys of now", () => {
    const { people } = all(
      ann,
      { kind: "write", user: "ann", note: "one" },
      { kind: "snapshot create", user: "ann", name: "monday" },
      { kind: "write", user: "ann", note: "two" },
      { kind: "keys replace", user: "ann", key: 1 },
      { kind: "snapshot restore", user: "ann", name: "monday" },
    );
    expect(people["ann"]).toMatchObject({ notes: ["one"], keys: [1] });
    expect(Object.keys(people["ann"]!.snapshots)).toEqual(["monday"]);
  });

  test("who is restored from a backup has what was in it, a key of their own, and no snapshots", () => {
    const { people } = all(
      ann,
      { kind: "write", user: "ann", note: "one" },
      { kind: "snapshot create", user: "ann", name: "monday" },
      { kind: "backup", user: "ann" },
      { kind: "write", user: "ann", note: "two" },
      { kind: "delete", user: "ann" },
      { kind: "restore", user: "ben", key: 3 },
    );
    expect(people).toEqual({ ben: { ...ann.people["ann"], notes: ["one"], keys: [3] } });
  });

  test("a note without an answer may be there, also in the snapshots that follow", () => {
    const { ann: person } = all(doubting(ann, "ann", "perhaps"), { kind: "snapshot create", user: "ann", name: "v1.0" }).people; // prettier-ignore
    expect(person).toMatchObject({ notes: [], doubtful: ["perhaps"] });
    expect(person!.snapshots["v1.0"]).toEqual({ notes: [], doubtful: ["perhaps"] });
  });

  test("after a boot those run who start with the server; after Incus' own start nobody stops", () => {
    const without = all(ann, { kind: "autostart", user: "ann", on: false });
    const running = (world: World, boot: boolean) => afterIncusBegan(world, { boot }).people["ann"]!.running;
    expect([running(ann, true), running(ann, false)]).toEqual([true, true]);
    expect([running(without, true), running(without, false)]).toEqual([false, true]);
    const stopped = all(ann, { kind: "stop", user: "ann" });
    expect([running(stopped, true), running(stopped, false)]).toEqual([true, true]);
  });
});
