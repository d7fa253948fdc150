import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const SCRIPT = path.resolve(__dirname, "../../startup/incus-stale-pids.sh");

let root: string;
const file = () => path.join(root, "var/lib/incus/networks/incusbr0/dnsmasq.pid");
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "pids-"));
  mkdirSync(path.dirname(file()), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const run = () => spawnSync(SCRIPT, { env: { ...process.env, CONTAINARIUM_ROOT: root } }).status;

test.each([
  ["of a process that is another one now", `pid: ${process.pid}`],
  ["of a process that is gone", "pid: 4194303"],
  ["that is damaged", ""],
])("a number %s is forgotten", (_what, text) => {
  writeFileSync(file(), `name: dnsmasq\n${text}\n`);
  expect([run(), existsSync(file())]).toEqual([0, false]);
});

test("that of a living dnsmasq stays; no networks are no error", () => {
  const program = path.join(root, "dnsmasq");
  copyFileSync("/bin/sleep", program);
  const child = spawn(program, ["30"]);
  writeFileSync(file(), `name: dnsmasq\npid: ${child.pid}\n`);
  expect([run(), existsSync(file())]).toEqual([0, true]);
  child.kill();
  rmSync(path.join(root, "var"), { recursive: true });
  expect(run()).toBe(0);
});
