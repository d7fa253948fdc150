import { dataDiskRecordProvider as provider } from "../../components/data-disk-record-provider";

const disk = { disk: "containarium-prod-jump-1-data", project: "kin", zone: "us-central1-a", type: "pd-balanced", sizeGb: 100, adopt: false, inProject: false }; // prettier-ignore
const diff = (change: Partial<typeof disk>) => provider.diff(disk.disk, disk, { ...disk, ...change });

test("an unchanged disk is no change; a grown one is recorded", async () => {
  expect(await diff({})).toEqual({ changes: false, replaces: [] });
  expect(await diff({ sizeGb: 200 })).toEqual({ changes: true, replaces: [] });
});

test.each<[string, Partial<typeof disk>, RegExp]>([
  ["another zone", { zone: "us-central1-b" }, /is in us-central1-a, it cannot move to us-central1-b/],
  ["another type", { type: "pd-ssd" }, /is a pd-balanced, it cannot become a pd-ssd/],
  ["another project, where the name is free", { project: "other" }, /is in the project kin, not in other/],
  ["another project with the next generation", { project: "other", disk: `${disk.disk}-g2` }, /is in the project kin/],
  ["a smaller size", { sizeGb: 50 }, /has 100 GiB, it cannot shrink to 50/],
])("refuses %s, before the disk is touched", async (_what, change, message) => {
  await expect(diff(change)).rejects.toMatchObject({
    message: expect.stringMatching(message),
    kind: "invalid",
    leftBehind: "everything as it was",
    remedy: expect.stringMatching(/(containarium|gcp):\w+/),
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

test("an entry that was dropped, or a lower generation, is no reason for an older disk, there or not", async () => {
  const second = { ...disk, disk: `${disk.disk}-g2` };
  const keep = [expect.stringMatching(/jump-1 has the disk .*-data-g2, .*\{server: 1, generation: 2\}/)];
  expect(await reasons(second, {})).toEqual(keep);
  expect(await reasons(second, { inProject: true })).toEqual(keep);
  expect(await reasons({ ...disk, disk: `${disk.disk}-g10` }, second)).toEqual([expect.stringContaining("generation: 10")]); // prettier-ignore
  // Said in so many words, it is meant; and it makes nothing.
  expect(await reasons(second, { inProject: true, adopt: true })).toEqual([]);
  expect(await reasons(disk, second)).toEqual([]);
});

test("a record of an older version takes its project up", async () => {
  const { project: _, ...old } = disk;
  expect(await provider.diff(disk.disk, old, disk)).toEqual({ changes: true, replaces: [] });
});

test("the disk of a known record is there, of course", async () => {
  expect(await reasons(disk, { inProject: true })).toEqual([]);
});
