import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { isOrphan, removeOrphanLocks } from "../../scripts/orphan-locks";
import { until } from "../until";

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

it("and what one has left that was killed and whose parent does not care", async () => {
  // The shell becomes a program that never asks about the child it had as a shell; the child ends when it has.
  const child = "until grep -q sleep /proc/$$/comm; do sleep 0.01; done";
  const parent = spawn("sh", ["-c", `(${child}) & echo $!; exec sleep 60`], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const pid = Number(await once(parent.stdout, "data"));
    await until(() => / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")), 20, "it to end");
    lock("local", "one", { hostname: os.hostname(), pid });
    expect(removeOrphanLocks(backend, "containarium")).toBe(1);
  } finally {
    parent.kill("SIGKILL");
  }
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

it("nothing was ever locked: nothing to do", () => {
  expect(removeOrphanLocks(path.join(backend, "never"), "containarium")).toBe(0);
  expect(isOrphan({})).toBe(false);
});
