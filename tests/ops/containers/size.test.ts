import fc from "fast-check";
import { parseCpu, parseDiskQuota, parseMemory, parseSize } from "../../../ops";
import { formatBytes } from "../../../ops/containers/size";

describe("parseSize", () => {
  it.each([
    ["4GiB", "4GiB", 4 * 2 ** 30],
    ["20GB", "20GB", 20e9],
    ["512MiB", "512MiB", 512 * 2 ** 20],
    [" 1 gib ", "1GiB", 2 ** 30],
    ["100kb", "100kB", 100e3],
    ["007TB", "7TB", 7e12],
    ["5B", "5B", 5],
  ])("reads %j", (text, canonical, bytes) => expect(parseSize(text, "--memory")).toEqual({ text: canonical, bytes }));

  it.each([
    "banana",
    "",
    "4",
    "4G",
    "-4GiB",
    "4.5GiB",
    "4GiBs",
    "GiB",
    "4 Gi B",
    "0GB",
    "9999999TiB",
    "NaNGB",
    "1e3GB",
  ])("refuses %j", (text) => {
    expect(() => parseSize(text, "--memory")).toThrow(
      expect.objectContaining({
        kind: "invalid",
        message: expect.stringContaining("--memory"),
        remedy: expect.stringContaining("4GiB"),
      }),
    );
  });

  it("reads what it wrote", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8000 }),
        fc.constantFrom("B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"),
        (amount, unit) => {
          const size = parseSize(`${amount} ${unit.toUpperCase()}`, "x");
          expect(size.text).toBe(`${amount}${unit}`);
          expect(parseSize(size.text, "x")).toEqual(size);
        },
      ),
    );
  });
});

it("memory begins at 128MiB and a disk at 1GB", () => {
  expect(parseMemory("128MiB").bytes).toBe(2 ** 27);
  expect(() => parseMemory("127MiB")).toThrow("too small");
  expect(parseDiskQuota("1GB").text).toBe("1GB");
  expect(() => parseDiskQuota("999MB")).toThrow("too small");
});

it("CPU is cores in steps of 0.01 from 0.1", () => {
  for (const cpu of [0.1, 0.5, 1, 1.15, 4, 64]) expect(parseCpu(cpu)).toBe(cpu);
  for (const cpu of [0, -1, 0.05, 0.123, NaN, Infinity, 1000])
    expect(() => parseCpu(cpu)).toThrow(expect.objectContaining({ kind: "invalid" }));
});

it("formats bytes for people", () => {
  expect([0, 999, 1e3, 1.5e6, 20e9, 2e12].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "1.5 MB",
    "20.0 GB",
    "2.0 TB",
  ]);
});
