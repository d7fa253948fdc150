import { spawnSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

import { CreationGate, passCreationGate } from "../../../ops/containers/creation-gate";
import { withZombie } from "../../a-zombie";

let gate: CreationGate;
beforeEach(async () => void (gate = await CreationGate.make()));
afterEach(() => gate.remove());

test("nobody waits who was not told of a gate", async () => {
  await passCreationGate("alice", {});
});

test("lets through when it is opened, and knows who waited for whom", async () => {
  const passed = passCreationGate("alice", gate.environment);
  await new Promise((resolve) => setTimeout(resolve, 100));
  gate.open();
  await passed;
  expect(gate.waited()).toBeGreaterThanOrEqual(90);
});

test("who comes later than the container does not wait", async () => {
  gate.open();
  expect(gate.waited()).toBeUndefined();
  await new Promise((resolve) => setTimeout(resolve, 50));
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

test("refuses when its maker was killed, and leaves nothing behind", async () => {
  const { pid } = spawnSync("true");
  writeFileSync(path.join(gate.folder, "holder"), String(pid));
  await expect(passCreationGate("alice", gate.environment)).rejects.toMatchObject({ kind: "conflict" });
  expect(existsSync(gate.folder)).toBe(false);
});

test("refuses when its maker was killed and its parent does not care", () =>
  withZombie(async (pid) => {
    writeFileSync(path.join(gate.folder, "holder"), String(pid));
    await expect(passCreationGate("alice", gate.environment)).rejects.toMatchObject({ kind: "conflict" });
  }));

test("what was opened stays open when its maker dies in the next moment", async () => {
  gate.open();
  const { pid } = spawnSync("true");
  writeFileSync(path.join(gate.folder, "holder"), String(pid));
  await passCreationGate("alice", gate.environment);
});

test("is nobody else's to look into", () => {
  expect(statSync(gate.folder).mode & 0o077).toBe(0);
});
