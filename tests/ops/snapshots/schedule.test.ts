import {
  createContainer,
  createSnapshot,
  getContainer,
  openServer,
  scheduleSnapshots,
  type Server,
} from "../../../ops";
import { parseSchedule, parseScheduleExpiry, readSchedule, renderSchedule } from "../../../ops/snapshots/schedule-text";
import { startFakeServer, type FakeServer } from "../../fakes/fake-server";
import { ALICE_KEY } from "../../fakes/keys";

test.each(["@daily", "@hourly", "30 3 * * 1-5", "*/15 * * * *", "0 0,12 1 1-6/2 0"])("%s is a schedule", (text) => {
  expect(parseSchedule(text)).toBe(text);
});

test.each([
  "",
  "daily",
  "@reboot",
  "* * * *",
  "60 * * * *",
  "* 24 * * *",
  "5-1 * * * *",
  "* * * * * *",
  "$(id) * * * *",
])("%p is none", (text) => expect(() => parseSchedule(text)).toThrow(/is no schedule/));

test.each(["", "0d", "7", "7 days", "7m 3d"])("%p is no span of time", (text) => {
  expect(() => parseScheduleExpiry(text)).toThrow(/span of time/);
});

test.each([
  ["5m", "5M"],
  ["12h", "12H"],
  ["7d", "7d"],
  ["4w", "4w"],
])("%s is %s for Incus, and back", (snapshotExpiry, incus) => {
  const schedule = { snapshotSchedule: "@daily", snapshotExpiry };
  expect(renderSchedule(schedule)).toEqual({ "snapshots.schedule": "@daily", "snapshots.expiry": incus });
  expect(readSchedule(renderSchedule(schedule))).toEqual(schedule);
});

test("without a schedule nothing expires by one", () => {
  expect(renderSchedule({ snapshotExpiry: "7d" })).toEqual({ "snapshots.schedule": "", "snapshots.expiry": "" });
  expect(readSchedule({})).toEqual({});
});

describe("on a server", () => {
  let fake: FakeServer;
  let server: Server;
  beforeEach(async () => {
    fake = await startFakeServer();
    server = await openServer(fake.address);
    await createContainer(server, { user: "alice", sshKeys: [ALICE_KEY] });
  });
  afterEach(async () => {
    await server.close();
    await fake.close();
  });

  test("it is set, seen, and taken away", async () => {
    const schedule = { snapshotSchedule: "@daily", snapshotExpiry: "7d" };
    expect(await scheduleSnapshots(server, "alice", schedule)).toMatchObject(schedule);
    expect(fake.incus.of("alice")?.config).toMatchObject({ "snapshots.schedule": "@daily", "snapshots.expiry": "7d" });
    await scheduleSnapshots(server, "alice", {});
    expect(await getContainer(server, "alice")).not.toHaveProperty("snapshotSchedule");
  });

  test("a snapshot made by hand says itself that it is kept", async () => {
    await createSnapshot(server, "alice", "mine");
    expect(fake.incus.of("alice")?.snapshots).toMatchObject([{ name: "mine", expires_at: "0001-01-01T00:00:00Z" }]);
  });
});
