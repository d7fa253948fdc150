import { drawing } from "../../../scripts/bench/drawing";
import { page, table } from "../../../scripts/bench/report";
import { outcomeOf, quantile, spreadOf } from "../../../scripts/bench/statistics";
import { newPublicKey } from "../../../scripts/bench/site";
import { parsePublicKey } from "../../../ops/keys/public-key";
import { parseArguments } from "../../../scripts/bench";

const figure = {
  name: "create",
  ours: "ours <1>",
  bare: "bare",
  unit: "ms",
  goal: { ratio: 1.25, beside: 100 },
  runs: 2,
  prepare: () => Promise.reject(new Error("not here")),
};
const rounds = (ours: number[], bare: number[]) =>
  ours.map((value, index) => ({ ours: value, bare: bare[index]!, parts: { copy: value / 10 } }));

test("medians and quartiles", () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, low: 1.75, high: 3.25 });
  expect(quantile([7], 0.9)).toBe(7);
});

test.each([
  ["within both", [1000, 1090], [1000, 1000], true],
  ["too far beside it", [1150, 1150], [1000, 1000], false],
  ["too slow by ratio", [130, 130], [100, 100], false],
])("a goal has two halves: %s", (_name, ours, bare, met) => {
  expect(outcomeOf(figure, rounds(ours, bare)).met).toBe(met);
});

test("a goal may be a least or an absolute value", () => {
  const throughput = { ...figure, goal: { ratio: 0.7, atLeast: true } };
  expect(outcomeOf(throughput, rounds([65], [100])).met).toBe(false);
  expect(outcomeOf(throughput, rounds([75], [100])).met).toBe(true);
  expect(outcomeOf({ ...figure, goal: { absolute: 25 } }, rounds([26], [26])).met).toBe(false);
});

test("a goal may be about a part, and a part that was not measured meets none", () => {
  const outcome = (parts: Record<string, number>) => outcomeOf({ ...figure, goal: { parts } }, rounds([200], [100]));
  expect(outcome({ copy: 20 }).met).toBe(true);
  expect(outcome({ copy: 19 }).met).toBe(false);
  expect(outcome({ boot: 1000 }).met).toBe(false);
  expect(outcome({ copy: 19 }).goal).toBe("copy ≤ 19");
});

test("table, page and drawing say which goal is missed, and what the time went to", () => {
  const outcomes = [outcomeOf({ ...figure, notes: "Half is SSH." }, rounds([200, 220], [100, 100]))];
  expect(table(outcomes)).toMatch(/^create +210 ms \(205-215\) +100 ms \(100-100\) +2\.10x +≤ 1\.25x, ≤ 100 ms beside it +missed +2$/m); // prettier-ignore
  const text = page(outcomes, { processors: "2" }, "2026-11-27");
  expect(text).toContain("**missed**");
  expect(text).toContain("**create**: copy 21.0.\nHalf is SSH.");
  expect(text).toContain("Measured on 2026-11-27: processors 2.");
  const svg = drawing(outcomes);
  expect(svg).toMatch(/^<svg [^>]+>\n.*2\.10x: missed.*<\/svg>\n$/s);
  expect(svg).not.toMatch(/NaN|<1>/);
});

test("people get keys that are keys, each another one", () => {
  const [one, two] = [newPublicKey(), newPublicKey()];
  expect(parsePublicKey(one, "test")).toMatchObject({ type: "ssh-ed25519" });
  expect(one).not.toBe(two);
});

test("the command line", () => {
  expect(parseArguments(["create", "--runs", "20"])).toEqual({ names: ["create"], runs: 20, stack: "local" });
  expect(() => parseArguments(["creat"])).toThrow("there is no figure creat");
  expect(() => parseArguments(["--runs", "many"])).toThrow("--runs");
});
