import type { Fault } from "./faults";
import type { Operation, Size, World } from "./model";
import type { Random } from "./random";

/** What is tried where nobody says otherwise: of many seeds one in which every kind of operation and of fault comes. */
export const EVERY_CHANGE = { operations: 200, seed: 846 };

/** Whoever may live here. One has an underscore, which Incus does not know. */
export const NAMES = ["life-ann", "life-ben", "life_cleo", "life-dan", "life-eve", "life-flo", "life-gus"];
/** Key pairs that each of them has. */
export const KEYS_EACH = 4;
const MOST_PEOPLE = 5;
const MOST_SNAPSHOTS = 3;
const SNAPSHOT_NAMES = ["monday", "tuesday", "before-exam", "v1.0"];

/** What is refused and changes nothing: name, and the kinds of error that may say so. */
export const BAD_INPUTS = [
  "an impossible name",
  "a reserved name",
  "a private key",
  "somebody who exists",
  "memory that is no size",
  "a disk larger than the pool",
  "a disk smaller than what is used",
  "the last key",
  "a snapshot that is not there",
  "a snapshot's impossible name",
  "somebody who does not exist",
  "text for a backup",
] as const;

export function drawOperation(world: World, number: number, random: Random): Operation {
  const present = Object.keys(world.people);
  const absent = NAMES.filter((name) => !present.includes(name));
  if (present.length === 0) return create(random.pick(absent), random);
  const user = random.pick(present);
  const { keys, running, snapshots } = world.people[user]!;
  const spare = Array.from({ length: KEYS_EACH }, (_, key) => key).filter((key) => !keys.includes(key));
  const kept = Object.keys(snapshots);
  const free = SNAPSHOT_NAMES.filter((name) => !kept.includes(name));
  /** What cannot be now has no weight, and is not looked at. */
  const when = (possible: boolean, weight: number, operation: () => Operation) =>
    [possible ? weight : 0, operation] as const;
  return random.weighted([
    when(present.length < MOST_PEOPLE, 6, () => create(random.pick(absent), random)),
    when(present.length > 1, 4, () => ({ kind: "delete", user })),
    when(spare.length > 0, 8, () => ({ kind: "keys add", user, key: random.pick(spare) })),
    when(keys.length > 1, 7, () => ({ kind: "keys remove", user, key: random.pick(keys) })),
    when(spare.length > 0, 6, () => ({ kind: "keys replace", user, key: random.pick(spare) })),
    when(true, 8, () => ({ kind: "resize", user, ...size(random) })),
    when(running, 2, () => ({ kind: "stop", user })),
    when(!running, 20, () => ({ kind: "start", user })),
    when(running, 2, () => ({ kind: "restart", user })),
    when(true, 4, () => ({ kind: "autostart", user, on: random.chance(60) })),
    when(running, 20, () => ({ kind: "write", user, note: `note-${number}` })),
    when(kept.length < MOST_SNAPSHOTS, 9, () => ({ kind: "snapshot create", user, name: random.pick(free) })),
    when(kept.length > 0, 5, () => ({ kind: "snapshot restore", user, name: random.pick(kept) })),
    when(kept.length > 0, 4, () => ({ kind: "snapshot delete", user, name: random.pick(kept) })),
    when(true, 0.4, () => ({ kind: "backup", user })),
    when(world.archive !== undefined && present.length < MOST_PEOPLE, 1, () => {
      return { kind: "restore", user: random.pick(absent), key: random.between(0, KEYS_EACH - 1) };
    }),
    when(true, 7, () => ({ kind: "bad input", user, which: random.pick(BAD_INPUTS) })),
  ])();
}

/** Most of what people do goes well. */
export function drawFault(operation: Operation, random: Random): Fault | undefined {
  const { kind } = operation;
  if (kind === "bad input" || kind === "backup") return undefined;
  const accounts = kind === "create" || kind === "delete";
  const fault = random.weighted<() => Fault | undefined>([
    [80, () => undefined],
    // A note is no command of ours.
    [
      kind === "write" ? 0 : 12,
      () => ({ kind: "kill the CLI", line: random.between(1, 12), delayMs: delay(random, 250) }),
    ],
    [kind === "write" ? 0 : 7, () => ({ kind: "cut SSH", delayMs: delay(random, 1500) })],
    [2.5, () => ({ kind: "kill Incus", delayMs: delay(random, 1500) })],
    [1.3, () => ({ kind: "kill the server", delayMs: delay(random, 1500) })],
    [accounts ? 8 : 0, () => ({ kind: "hold the account files", seconds: random.between(1, 4) })],
    [kind === "create" ? 12 : 0, () => ({ kind: "a foreign account" })],
  ]);
  return fault();
}

function create(user: string, random: Random): Operation {
  return { kind: "create", user, key: random.between(0, KEYS_EACH - 1), autostart: random.chance(75), ...size(random) };
}

function size(random: Random): Size {
  return {
    cpu: random.pick([0.5, 1, 2, 4]),
    memory: random.pick(["384MiB", "512MiB", "1GiB"]),
    diskQuota: random.pick(["3GB", "4GB", "5GB"]),
  };
}

/** Mostly early: that is where most of it happens. */
function delay(random: Random, most: number): number {
  return random.between(0, random.chance(50) ? most / 5 : most);
}
