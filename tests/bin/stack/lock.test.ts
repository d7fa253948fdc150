import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { fileBackend, readLocks, waitUntilUnlocked } from "../../../bin/stack/lock";

const project = { root: "/p", name: "containarium", pulumi: "npm run pulumi --" };

test.each([
  ["file:///srv/state", "/srv/state"],
  ["file:///srv/my%20state", "/srv/my state"],
  ["file:///srv/state?no_tmp_dir=true", "/srv/state"],
  ["file://~", "/home/a"],
  ["file://~/state", "/home/a/state"],
  ["file://./state", "/p/state"],
  ["s3://bucket", undefined],
  [undefined, undefined],
])("the folder of %s", (url, expected) => expect(fileBackend(url, project, "/home/a")).toBe(expected));

describe("a stack's lock", () => {
  let backend: string;
  let folder: string;
  const lock = (changes: object = {}) => {
    const content = { pid: process.pid, username: "root", hostname: os.hostname(), timestamp: "2026-11-23T23:39:27Z" };
    fs.writeFileSync(path.join(folder, "one.json"), JSON.stringify({ ...content, ...changes }));
  };
  const wait = (timeoutMs: number, told: string[] = [], signal?: AbortSignal) =>
    waitUntilUnlocked(backend, project, "local", { timeoutMs, signal, onWait: (text) => told.push(text) });

  beforeEach(() => {
    backend = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-lock-"));
    folder = path.join(backend, ".pulumi/locks/organization/containarium/local");
    fs.mkdirSync(folder, { recursive: true });
  });
  afterEach(() => fs.rmSync(backend, { recursive: true }));

  test("none: goes on at once, also without the folder", async () => {
    await wait(0);
    fs.rmSync(path.join(backend, ".pulumi"), { recursive: true });
    await wait(0);
  });

  test("another stack's lock is none of ours", async () => {
    fs.mkdirSync(path.join(folder, "../prod"));
    lock();
    fs.renameSync(path.join(folder, "one.json"), path.join(folder, "../prod/one.json"));
    await wait(0);
  });

  test("the .attrs file that the engine leaves behind is no lock", async () => {
    fs.writeFileSync(path.join(folder, "one.json.attrs"), "{}");
    expect(await readLocks(backend, project, "local")).toEqual([]);
  });

  test("held: says once who holds it, waits, and gives up with the remedy", async () => {
    lock();
    const told: string[] = [];
    const error = await wait(300, told).catch((caught) => caught);
    expect(error).toMatchObject({ kind: "conflict", remedy: expect.stringContaining("cancel --stack local") });
    expect(error.message).toContain(`locked by root@${os.hostname()}, process ${process.pid}`);
    expect(told).toHaveLength(1);
  });

  test("released while we wait", async () => {
    lock();
    setTimeout(() => fs.rmSync(path.join(folder, "one.json")), 100);
    await wait(5000);
  });

  test("left by a process of this machine that is gone: taken away, and said so", async () => {
    const { pid } = spawnSync("true");
    lock({ pid });
    const told: string[] = [];
    await wait(0, told);
    expect(told).toEqual([expect.stringMatching(`killed \\(root@.*, process ${pid}`)]);
    expect(await readLocks(backend, project, "local")).toEqual([]);
  });

  test("a process of another machine may live whatever we see", async () => {
    const { pid } = spawnSync("true");
    lock({ pid, hostname: "elsewhere" });
    await expect(wait(0)).rejects.toThrow(/locked by root@elsewhere/);
  });

  test("half-written: held by somebody", async () => {
    fs.writeFileSync(path.join(folder, "one.json"), '{"pid":');
    await expect(wait(0)).rejects.toThrow(/locked by somebody/);
  });

  test("Ctrl-C ends the waiting", async () => {
    lock();
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    await expect(wait(60_000, [], stop.signal)).rejects.toMatchObject({ name: "AbortError" });
  });
});
