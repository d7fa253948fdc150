import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { countsIn, sum, summary } from "../../scripts/test";

it("sums runs into one line", () => {
  expect(summary(sum([{ passed: 3, failed: 1, skipped: 0 }, { passed: 4, failed: 0, skipped: 2 }]))).toBe("7 passed, 1 failed, 2 skipped"); // prettier-ignore
  expect(summary(sum([]))).toBe("0 passed, 0 failed");
});

it("counts a suite that did not load as a failure", () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "containarium-counts-"));
  const file = path.join(directory, "result.json");
  writeFileSync(
    file,
    JSON.stringify({
      numPassedTests: 5,
      numFailedTests: 1,
      numPendingTests: 2,
      numTodoTests: 1,
      numRuntimeErrorTestSuites: 1,
    }),
  );
  expect(countsIn(file)).toEqual({ passed: 5, failed: 2, skipped: 3 });
  rmSync(directory, { recursive: true });
});
