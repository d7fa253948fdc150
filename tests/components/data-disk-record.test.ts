import { dataDiskRecordProvider as provider } from "../../components/data-disk-record-provider";

const disk = { disk: "containarium-prod-jump-1-data", zone: "us-central1-a", type: "pd-balanced", sizeGb: 100, adopt: false, inProject: false }; // prettier-ignore
const diff = (change: Partial<typeof disk>) => provider.diff(disk.disk, disk, { ...disk, ...change });

test("an unchanged disk is no change; a grown one is recorded", async () => {
  expect(await diff({})).toEqual({ changes: false, replaces: [] });
  expect(await diff({ sizeGb: 200 })).toEqual({ changes: true, replaces: [] });
});

test.each<[string, Partial<typeof disk>, RegExp]>([
  ["another zone", { zone: "us-central1-b" }, /is in us-central1-a, it cannot move to us-central1-b/],
  ["another type", { type: "pd-ssd" }, /is a pd-balanced, it cannot become a pd-ssd/],
  ["a smaller size", { sizeGb: 50 }, /has 100 GiB, it cannot shrink to 50/],
])("refuses %s, before the disk is touched", async (_what, change, message) => {
  await expect(diff(change)).rejects.toMatchObject({
    message: expect.stringMatching(message),
    kind: "invalid",
    leftBehind: "everything as it was",
    remedy: expect.stringMatching(/containarium:\w+/),
  });
});

test("the next generation is another disk: it may be elsewhere, of another type", async () => {
  expect(await diff({ disk: `${disk.disk}-g2`, zone: "us-central1-b", type: "pd-ssd", sizeGb: 50 })).toEqual({
    changes: true,
    replaces: [],
  });
});

const reasons = async (olds: object | undefined, change: Partial<typeof disk>) =>
  (await provider.check(olds, { ...disk, ...change })).failures?.map(({ reason }) => reason);

test("a new record refuses a disk that nobody spoke of, and one that is not there to be taken", async () => {
  expect(await reasons({}, {})).toEqual([]);
  expect(await reasons({}, { inProject: true })).toEqual([expect.stringContaining("{server: 1, adopt: true}")]);
  expect(await reasons({}, { inProject: true, adopt: true })).toEqual([]);
  expect(await reasons({}, { adopt: true })).toEqual([
    expect.stringContaining("no disk containarium-prod-jump-1-data"),
  ]);
});

test("the disk of a known record is there, of course", async () => {
  expect(await reasons(disk, { inProject: true })).toEqual([]);
});
