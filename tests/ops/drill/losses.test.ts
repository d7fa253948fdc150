import { createHash } from "node:crypto";

import { spreadOf } from "../../../ops/drill/drill";
import { digestOf, lossesOf, type After, type Before } from "../../../ops/drill/losses";

const before: Before = { hostKeys: ["ssh-ed25519 AAAA"], acknowledged: 3, homeFiles: 5, homeDigest: "a".repeat(64) };
const after: After = {
  hostKeys: ["ssh-ed25519 AAAA"],
  lines: 3,
  digest: digestOf("drill-1", 3),
  homeDigest: before.homeDigest,
  changedFiles: 0,
};

test("the expected lines are known without asking anybody", () => {
  const text = "drill-1 1\ndrill-1 2\ndrill-1 3\n";
  expect(digestOf("drill-1", 3)).toBe(createHash("sha256").update(text).digest("hex"));
});

test.each<[string, Partial<After>]>([
  ["everything is as it was", {}],
  ["lines were written that nobody had acknowledged yet", { lines: 5 }],
  ["a busy sshd showed none of its keys", { hostKeys: [] }],
])("nothing is wrong when %s", (_what, changes) => {
  expect(lossesOf("drill-1", before, { ...after, ...changes })).toEqual([]);
});

test.each<[string, Partial<After>, string, RegExp]>([
  ["a line is gone", { lines: 2 }, "lost", /^1 of 3 acknowledged lines/],
  ["the file is empty", { lines: 0, digest: digestOf("drill-1", 0) }, "lost", /^3 of 3/],
  ["a line is another one", { digest: digestOf("drill-2", 3) }, "changed", /lines are other ones/],
  ["a file of the home is another one", { changedFiles: 2 }, "changed", /^2 of 5 files/],
  ["the list of sums is another one", { homeDigest: "b".repeat(64) }, "changed", /list of the home's sums/],
  ["another machine answers", { hostKeys: ["ssh-ed25519 BBBB"] }, "changed", /another host key/],
])("it is noticed when %s", (_what, changes, kind, message) => {
  const problems = lossesOf("drill-1", before, { ...after, ...changes });
  expect(problems).toEqual([{ kind, message: expect.stringMatching(message) }]);
});

test("middle and longest of times", () => {
  expect(spreadOf([])).toBeUndefined();
  expect(spreadOf([7])).toEqual({ median: 7, worst: 7 });
  expect(spreadOf([9, 1, 5])).toEqual({ median: 5, worst: 9 });
  expect(spreadOf([4, 1, 2, 9])).toEqual({ median: 3, worst: 9 });
});
