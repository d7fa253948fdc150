import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { countsIn, runUnless, sum, summary } from "../../scripts/test";

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

describe("tests that need something of this machine", () => {
  const tests = () => Promise.resolve([{ passed: 7, failed: 0, skipped: 0 }]);
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  beforeEach(() => said.splice(0));

  it("run where it is there", async () => {
    expect(await runUnless(undefined, "The story", tests, { required: true, say })).toEqual(await tests());
    expect(said).toEqual([]);
  });

  it("are skipped where it is not, with the reason", async () => {
    const counts = await runUnless("no QEMU", "The story", tests, { required: false, say });
    expect(counts).toEqual([{ passed: 0, failed: 0, skipped: 1 }]);
    expect(said).toEqual(["- The story: skipped", "no QEMU"]);
  });

  it("have failed where everything is required", async () => {
    const counts = await runUnless("no QEMU", "The story", tests, { required: true, say });
    expect(counts).toEqual([{ passed: 0, failed: 1, skipped: 0 }]);
    expect(said).toEqual(["✗ The story: cannot run", "no QEMU"]);
  });
});
