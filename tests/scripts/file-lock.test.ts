import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { withFileLock } from "../../scripts/file-lock";

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "containarium-lock-"));
  file = path.join(directory, "deeper", ".lock");
});
afterEach(() => rmSync(directory, { recursive: true }));

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it("lets one in at a time, in any order, and leaves nothing", async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await pause(20);
    inside--;
  };
  await Promise.all(Array.from({ length: 5 }, () => withFileLock(file, work)));
  expect(most).toBe(1);
  expect(existsSync(file)).toBe(false);
});

it("excludes other processes, and tells whom it waits for", async () => {
  const script = `require(${JSON.stringify(require.resolve("../../scripts/file-lock"))}).withFileLock(${JSON.stringify(file)}, async () => {
    process.stdout.write("mine\\n");
    await new Promise((resolve) => setTimeout(resolve, 400));
  })`;
  const other = spawn(process.execPath, ["-e", script]);
  await new Promise((resolve) => other.stdout.once("data", resolve));
  const waited: number[] = [];
  const begin = Date.now();
  await withFileLock(file, async () => undefined, { onWait: (pid) => waited.push(pid) });
  expect(Date.now() - begin).toBeGreaterThan(200);
  expect(waited).toEqual([other.pid]);
});

it("takes over from a process that was killed", async () => {
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  await withFileLock(file, async () => undefined);
  writeFileSync(file, JSON.stringify({ pid, started: "1" }));
  expect(await withFileLock(file, async () => "done", { timeoutMs: 2000 })).toBe("done");
});

it("takes over when the holder's process id belongs to another process now", async () => {
  await withFileLock(file, async () => undefined);
  writeFileSync(file, JSON.stringify({ pid: process.ppid, started: "1" }));
  expect(await withFileLock(file, async () => "done", { timeoutMs: 2000 })).toBe("done");
});

it("gives up after a while, naming the holder", async () => {
  await withFileLock(file, async () => {
    await expect(withFileLock(file, async () => undefined, { timeoutMs: 150 })).rejects.toThrow(
      `process ${process.pid} holds`,
    );
  });
});

it("is free again after a failure", async () => {
  await expect(withFileLock(file, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(existsSync(file)).toBe(false);
});
