import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { isOrphan, removeOrphanLocks } from "../../scripts/orphan-locks";

let backend: string;
beforeEach(() => (backend = mkdtempSync(path.join(os.tmpdir(), "containarium-locks-"))));
afterEach(() => rmSync(backend, { recursive: true }));

function lock(stack: string, name: string, content: object | string): string {
  const folder = path.join(backend, ".pulumi/locks/organization/containarium", stack);
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${name}.json`);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}
const dead = () => ({ hostname: os.hostname(), pid: spawnSync("true").pid });

it("takes away what a process of this machine that is no more has left, in every stack", () => {
  const files = [lock("local", "one", dead()), lock("prod", "two", dead())];
  expect(removeOrphanLocks(backend, "containarium")).toBe(2);
  expect(files.filter((file) => existsSync(file))).toEqual([]);
});

it("or in one stack only", () => {
  const [one, two] = [lock("local", "one", dead()), lock("prod", "two", dead())];
  expect(removeOrphanLocks(backend, "containarium", "local")).toBe(1);
  expect([existsSync(one), existsSync(two)]).toEqual([false, true]);
});

it.each<[string, object | string]>([
  ["of a living process", { hostname: os.hostname(), pid: process.pid }],
  ["of another user's process", { hostname: os.hostname(), pid: 1 }],
  ["of another machine", { hostname: "elsewhere", pid: spawnSync("true").pid }],
  ["that names no process", { hostname: os.hostname() }],
  ["half-written", '{"pid":'],
])("leaves a lock %s", (_what, content) => {
  const file = lock("local", "one", content);
  lock("local", "two", dead());
  expect(removeOrphanLocks(backend, "containarium")).toBe(1);
  expect(existsSync(file)).toBe(true);
});

it("a process that has ended and that nobody has asked how is no more", async () => {
  // The shell's child has ended; what the shell has become never asks.
  const shell = spawn("sh", ["-c", "true & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
  const [pid] = await once(shell.stdout, "data");
  const file = lock("local", "one", { hostname: os.hostname(), pid: Number(pid) });
  for (const until = Date.now() + 10_000; removeOrphanLocks(backend, "containarium") === 0;) {
    if (Date.now() > until) throw new Error("it counts as alive");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(existsSync(file)).toBe(false);
  expect(existsSync(`/proc/${Number(pid)}`)).toBe(true);
  shell.kill();
});

it("nothing was ever locked: nothing to do", () => {
  expect(removeOrphanLocks(path.join(backend, "never"), "containarium")).toBe(0);
  expect(isOrphan({})).toBe(false);
});
