import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { lastLines, mustRun, run } from "../../scripts/run";
import { renderError, SetupError } from "../../scripts/setup-error";

const node = (script: string) => [process.execPath, "-e", script];

describe("run", () => {
  it("gives exit code and both outputs", async () => {
    expect(await run(node("console.log(1); console.error(2); process.exitCode = 3"))).toEqual({
      code: 3,
      stdout: "1\n",
      stderr: "2\n",
    });
  });

  it("never throws: a program that is not there is code 127", async () => {
    expect((await run(["/nowhere/program"])).code).toBe(127);
  });

  it("tells a signal by 128 and its number", async () => {
    expect((await run(node("process.kill(process.pid, 'SIGTERM')"))).code).toBe(143);
  });

  it("ends what takes too long, even when a grandchild holds the pipe", async () => {
    const begin = Date.now();
    const { code, stderr } = await run(["sh", "-c", "sleep 20 & wait"], { timeoutMs: 200 });
    expect(code).not.toBe(0);
    expect(stderr).toContain("no end after");
    expect(Date.now() - begin).toBeLessThan(5000);
  });

  it("hands over lines as they come, and keeps a log", async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), "containarium-run-"));
    const lines: string[] = [];
    const logFile = path.join(directory, "log");
    await run(node("process.stdout.write('a\\nb'); setTimeout(() => console.log('c'), 20)"), {
      onLine: (line) => lines.push(line),
      logFile,
    });
    expect(lines).toEqual(["a", "bc"]);
    expect(readFileSync(logFile, "utf8")).toBe("a\nbc\n");
    rmSync(directory, { recursive: true });
  });

  it("does not mind a program that does not read its input", async () => {
    expect((await run(["true"], { input: "x".repeat(1_000_000) })).code).toBe(0);
  });
});

it("mustRun throws the program's last lines", async () => {
  const failing = mustRun(run, node("console.error('cause'); process.exit(1)"), {
    failure: "it failed",
    remedy: "mend it",
  });
  await expect(failing).rejects.toMatchObject({ message: "it failed", log: "cause", remedy: "mend it" });
});

it("lastLines leaves out empty ones", () => {
  expect(lastLines("a\n\nb\n  \nc\n", 2)).toBe("b\nc");
});

it("renderError shows cause, log and remedy, and never a stack", () => {
  const error = new SetupError("it failed", { log: "one\ntwo\n", remedy: "Do this.\nThen that." });
  expect(renderError(error)).toBe("error: it failed\n  | one\n  | two\n  Do this.\n  Then that.\n");
  expect(renderError(new Error("plain"))).toBe("error: plain\n");
  expect(renderError("text")).toBe("error: text\n");
});
