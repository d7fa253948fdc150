import { parseMoment, parseSpan } from "../../../ops/audit/moment";

const now = new Date("2026-11-27T12:00:00.000Z");

test.each([
  ["2h", "2026-11-27T10:00:00.000Z"],
  ["90m", "2026-11-27T10:30:00.000Z"],
  ["30d", "2026-10-28T12:00:00.000Z"],
  ["2026-11-27", "2026-11-27T00:00:00.000Z"],
  // UTC wherever the administrator sits.
  ["2026-11-27T10:00", "2026-11-27T10:00:00.000Z"],
  ["2026-11-27T10:00:00Z", "2026-11-27T10:00:00.000Z"],
  ["2026-11-27T10:00:00.5+01:00", "2026-11-27T09:00:00.500Z"],
])("%s is %s", (text, moment) => {
  expect(parseMoment(text, now, "--since")).toBe(moment);
});

test.each(["", "yesterday", "0h", "-2h", "2 h", "2026-02-30", "2026-13-01", "27.11.2026", "1700000000", "2h; id"])(
  "%p is no moment",
  (text) => {
    expect(() => parseMoment(text, now, "--since")).toThrow(/^--since .* is not a time$/);
  },
);

test("lengths of time", () => {
  expect(["10m", "1h", "7d", "57w"].map((text) => parseSpan(text, "--for"))).toEqual([600, 3600, 604_800, 34_473_600]);
  for (const text of ["", "0h", "1", "401d", "58w", "-1h", "1h "])
    expect(() => parseSpan(text, "--for")).toThrow("--for");
});
