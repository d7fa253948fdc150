import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { digestOf } from "../../../ops/drill/losses";
import { ACKNOWLEDGED_FILE, cleanUpCommand, examineCommand, FOLDER, prepareCommand } from "../../../ops/drill/scripts";

/** The real scripts, below a folder that stands for a container; systemd is left out. */
let root: string;
const at = (name: string) => path.join(root, name);
const longAgo = new Date("2026-01-01T00:00:00Z");

const here = (word: string) =>
  word
    .replaceAll(FOLDER, at("drill"))
    .replaceAll(ACKNOWLEDGED_FILE, at("acknowledged"))
    .replaceAll("/home", at("home"));

function run(command: readonly string[]) {
  const [program = "", ...args] = command.map(here);
  const env = { ...process.env, PATH: `${at("bin")}:${process.env["PATH"]}` };
  return spawnSync(program, args, { encoding: "utf8", env });
}

function note(name: string, text: string, when?: Date): void {
  writeFileSync(at(`home/${name}`), text);
  if (when) utimesSync(at(`home/${name}`), when, when);
}

/** Has the writer write, and ends it without warning. @returns how many lines it has acknowledged */
async function write(): Promise<number> {
  const writer = spawn("sh", [at("drill/writer"), "drill-1"], { stdio: "ignore" });
  const acknowledged = () => Number(readIfThere(at("acknowledged")));
  const deadline = Date.now() + 20_000;
  while (acknowledged() < 3 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  const lines = acknowledged();
  writer.kill("SIGKILL");
  await new Promise((resolve) => writer.once("close", resolve));
  return lines;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

let prepared: string;
let acknowledged: number;
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), "drill-"));
  for (const folder of ["bin", "home", "drill"]) mkdirSync(at(folder));
  for (const program of ["systemctl", "systemd-run"]) {
    writeFileSync(at(`bin/${program}`), "#!/bin/sh\nexit 0\n");
    chmodSync(at(`bin/${program}`), 0o755);
  }
  // Left by a drill that was killed.
  writeFileSync(at("drill/lines"), "drill-0 1\n");
  note("old", "precious", longAgo);
  note("with a\nstrange \\ name", "strange", longAgo);
  note("fresh", "being written");
  const { status, stdout, stderr } = run(prepareCommand("drill-1"));
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  prepared = stdout;
  acknowledged = await write();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const examine = () => run(examineCommand(acknowledged)).stdout.trim().split(" ");

test("what was acknowledged is there, and the home is as it was", () => {
  const [files, homeDigest] = prepared.trim().split(" ");
  expect(files).toBe("2");
  const [lines, digest, sums, changed] = examine();
  expect(Number(lines)).toBeGreaterThanOrEqual(acknowledged);
  expect([digest, sums, changed]).toEqual([digestOf("drill-1", acknowledged), homeDigest, "0"]);
});

test("what its owner writes afterwards is no loss", () => {
  note("old", "precious, and more");
  expect(examine()[3]).toBe("0");
});

test.each<[string, () => void, number]>([
  ["has other content, and looks untouched", () => note("old", "garbage!", longAgo), 1],
  ["is gone", () => rmSync(at("home/old")), 1],
  ["with a strange name is gone", () => rmSync(at("home/with a\nstrange \\ name")), 1],
])("a file that %s is noticed", (_what, tamper, expected) => {
  tamper();
  expect(examine()[3]).toBe(String(expected));
});

test("a line that is gone, and one that is another, are noticed", () => {
  const lines = readFileSync(at("drill/lines"), "utf8");
  writeFileSync(at("drill/lines"), lines.replace("drill-1 2\n", "drill-1 X\n"));
  expect(examine()[1]).not.toBe(digestOf("drill-1", acknowledged));
  writeFileSync(at("drill/lines"), "drill-1 1\n");
  expect(examine()[0]).toBe("1");
});

test("a folder that is gone is an error, and no empty answer that looks good", () => {
  rmSync(at("drill"), { recursive: true });
  expect(run(examineCommand(acknowledged)).status).not.toBe(0);
});

test("nothing stays", () => {
  expect(run(cleanUpCommand).status).toBe(0);
  expect([readIfThere(at("drill/lines")), readIfThere(at("acknowledged"))]).toEqual(["", ""]);
  expect(run(cleanUpCommand).status).toBe(0);
});
