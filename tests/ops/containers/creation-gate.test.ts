import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import { CreationGate, passCreationGate } from "../../../ops/containers/creation-gate";

let gate: CreationGate;
beforeEach(async () => void (gate = await CreationGate.make()));
afterEach(() => gate.remove());

test("nobody waits who was not told of a gate", async () => {
  await passCreationGate("alice", {});
});

test("lets through when it is opened, and knows who waited for whom", async () => {
  const passed = passCreationGate("alice", gate.environment);
  await once(gate.server, "connection");
  const came = Date.now();
  while (Date.now() < came + 20) await new Promise(setImmediate);
  gate.open();
  await passed;
  expect(gate.waited()).toBeGreaterThanOrEqual(20);
});

test("who comes later than the container does not wait", async () => {
  gate.open();
  const opened = Date.now();
  expect(gate.waited()).toBeUndefined();
  while (Date.now() < opened + 2) await new Promise(setImmediate);
  await passCreationGate("alice", gate.environment);
  expect(gate.waited()).toBeLessThan(0);
});

test("refuses when the container was not made", async () => {
  const passed = passCreationGate("alice", gate.environment);
  gate.refuse();
  await expect(passed).rejects.toMatchObject({ kind: "conflict", message: "the container of alice was not completed" });
});

test("refuses who comes after that, and when nothing is left of it", async () => {
  gate.refuse();
  await expect(passCreationGate("alice", gate.environment)).rejects.toMatchObject({ kind: "conflict" });
  gate.remove();
  await expect(passCreationGate("alice", gate.environment)).rejects.toMatchObject({ kind: "conflict" });
});

describe("its maker is killed", () => {
  let folder: string;
  let maker: ChildProcess;
  const environment = () => ({ CONTAINARIUM_CREATION_GATE: folder });
  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), "containarium-gate-"));
    const listen =
      "const server = require('node:net').createServer(); server.listen(process.argv[1], () => console.log('listens')); server.on('connection', () => console.log('asked'))";
    maker = spawn(process.execPath, ["-e", listen, path.join(folder, "wait")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(maker.stdout!, "data");
  });
  afterEach(() => {
    maker.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  test("while somebody waits: refused, and nothing is left behind", async () => {
    const passed = passCreationGate("alice", environment());
    await once(maker.stdout!, "data");
    maker.kill("SIGKILL");
    await expect(passed).rejects.toMatchObject({ kind: "conflict" });
    expect(existsSync(folder)).toBe(false);
  });

  test("before anybody comes: refused", async () => {
    maker.kill("SIGKILL");
    await once(maker, "close");
    expect(existsSync(path.join(folder, "wait"))).toBe(true);
    await expect(passCreationGate("alice", environment())).rejects.toMatchObject({ kind: "conflict" });
  });

  test("when it has opened: what is open stays open", async () => {
    writeFileSync(path.join(folder, "open"), "");
    maker.kill("SIGKILL");
    await once(maker, "close");
    await passCreationGate("alice", environment());
  });
});

test("is nobody else's to look into", () => {
  expect(statSync(gate.folder).mode & 0o077).toBe(0);
});
