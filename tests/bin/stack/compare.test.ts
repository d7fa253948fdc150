import { compare } from "../../../bin/stack/compare";
import type { Found } from "../../../bin/stack/compare";
import { desiredFields } from "../../../bin/stack/config-text";
import type { DesiredContainer } from "../../../bin/stack/config-text";
import { keys } from "../harness";

const entry = { user: "alice", server: "jump-1", sshKeys: [keys.alice] };
const found: Found = {
  server: "jump-1",
  record: {
    user: "alice",
    name: "alice-container",
    state: "ready",
    keys: [keys.alice],
    image: "debian/13",
    cpu: 4,
    memory: "4GiB",
    diskQuota: "20GB",
    processes: 4096,
    autostart: true,
    docker: true,
    schedule: {},
  } as Found["record"],
};
const other: Required<Omit<DesiredContainer, "user">> = {
  sshKeys: [keys.bob],
  server: "jump-2",
  image: "ubuntu/24.04",
  cpu: 1,
  memory: "1GiB",
  diskQuota: "1GB",
  processes: 900,
  autostart: false,
  docker: false,
  snapshotSchedule: "@daily",
  snapshotExpiry: "7d",
};
const whole = { defaults: undefined, isWhole: true };
const nothing = { unlisted: [], unusable: [], missing: [], unknown: [], different: [], halfMade: [], twice: [] };

test("what is left to the defaults does not differ from them", () => {
  expect(compare([entry], [found], whole)).toEqual(nothing);
});

// By the list of what an entry may say: a field that is new there is not forgotten here.
const compared = desiredFields.filter((field) => field !== "user");
test.each(compared)("%s that differs is reported, and nothing else", (field) => {
  const { different, ...rest } = compare([{ ...entry, [field]: other[field] }], [found], whole);
  expect(different).toEqual([expect.objectContaining({ user: "alice", server: "jump-1", field })]);
  expect({ ...rest, different: [] }).toEqual(nothing);
});

test.each(compared)("%s of somebody unlisted is recorded: then nothing differs", (field) => {
  const { sshKeys, server, snapshotSchedule, snapshotExpiry, ...rest } = other;
  const schedule = { snapshotSchedule, snapshotExpiry };
  const there = { server, record: { ...found.record, ...rest, schedule, keys: sshKeys } };
  const { unlisted } = compare([], [there], whole);
  expect(unlisted).toEqual([expect.objectContaining({ [field]: other[field] })]);
  expect(compare(unlisted, [there], whole)).toEqual(nothing);
});

test.each([
  ["all answered", true, { missing: [{ user: "alice", server: "jump-1" }] }],
  ["one is silent, perhaps the one where they are", false, { unknown: [{ user: "alice", server: "jump-1" }] }],
])("in the config and not seen; %s", (_what, isWhole, expected) => {
  expect(compare([entry], [], { defaults: undefined, isWhole })).toEqual({ ...nothing, ...expected });
});

test("somebody whose move was not completed has one home", () => {
  const left = { server: "jump-2", record: { ...found.record, state: "leaving" as const } };
  const arrived = { server: "jump-1", record: { ...found.record, state: "arriving" as const } };
  const { twice, halfMade } = compare([entry], [left, arrived], whole);
  expect({ twice, halfMade }).toEqual({ twice: [], halfMade: [{ user: "alice", server: "jump-1" }] });
});
