import { exitCodeOf, exitCodeOfSeveral, renderError, reportOf } from "../../../bin/output/error";
import {
  ConflictError,
  ContainariumError,
  InvalidInputError,
  OperationError,
  PartialFailureError,
  UnreachableError,
} from "../../../ops/errors";
import type { ErrorKind } from "../../../ops/errors";

/** The promise of the README, word for word: a typed table, so that a kind without a row does not compile. */
const promised: Record<ErrorKind, number> = {
  failed: 1,
  invalid: 2,
  "not-found": 3,
  conflict: 4,
  authentication: 5,
  unreachable: 6,
  timeout: 7,
  partial: 8,
  interrupted: 130,
};

test.each(Object.entries(promised))("%s exits %i", (kind, code) => {
  expect(exitCodeOf(reportOf(new ContainariumError(kind as ErrorKind, "x")).kind)).toBe(code);
});

describe("several", () => {
  const failure = (error: Error) => ({ subject: "x", error });
  const unreachable = failure(new UnreachableError("x"));
  const conflict = failure(new ConflictError("x"));
  const interrupted = failure(new ContainariumError("interrupted", "x"));
  test.each([
    ["none failed", [], 2, 0],
    ["some failed", [conflict], 1, 8],
    ["all failed alike", [unreachable, unreachable], 0, 6],
    ["all failed differently", [unreachable, conflict], 0, 8],
    ["interrupted", [conflict, interrupted], 1, 130],
  ])("%s", (_name, failures, succeeded, code) => expect(exitCodeOfSeveral(failures, succeeded)).toBe(code));
});

test("cause, left behind, remedy; commands are marked", () => {
  const error = new OperationError("the pool is full\nreally", {
    server: "jump-1",
    leftBehind: "alice-container, stopped",
    remedy: "Make room.\n\n  npx containarium-ops delete alice\nThen run it again.",
  });
  expect(renderError(reportOf(error))).toBe(
    [
      "error: jump-1: the pool is full; really",
      "  Left behind: alice-container, stopped",
      "  Make room.",
      "  Try:  npx containarium-ops delete alice",
      "  Then run it again.",
      "",
    ].join("\n"),
  );
});

test("a command of the library's becomes one that can be typed here, at the same place", () => {
  const error = new ConflictError("exists", { remedy: "Look at it:\n  containarium-ops info alice" });
  expect(reportOf(error, " --stack prod").remedy).toBe("Look at it:\n  npx containarium-ops info alice --stack prod");
});

test("several servers: what happened on each", () => {
  const failures = new Map([["jump-2", new UnreachableError("timed out", { server: "jump-2" })]]);
  const report = reportOf(new PartialFailureError("cannot tell where alice is", failures));
  expect(report.failures).toEqual([{ subject: "jump-2", kind: "unreachable", message: "timed out", server: "jump-2" }]);
  expect(renderError(report)).toBe("error: cannot tell where alice is\n  jump-2: timed out\n");
});

test("the server is not named twice", () => {
  const error = new UnreachableError("jump-1 does not answer", { server: "jump-1" });
  expect(renderError(reportOf(error))).toBe("error: jump-1 does not answer\n");
});

test("what nobody foresaw is `failed`, in one line, with the way to learn more", () => {
  const report = reportOf(new TypeError("x is not a function\n    at y"));
  expect(report).toMatchObject({ kind: "failed", message: "x is not a function; at y" });
  expect(report.remedy).toContain("--verbose");
  expect(reportOf("text").message).toBe("text");
  expect(reportOf(undefined).kind).toBe("failed");
  expect(reportOf(new InvalidInputError("")).kind).toBe("invalid");
});
