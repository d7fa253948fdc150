import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { readInventory } from "../../../bin/stack/inventory";
import { findProject } from "../../../bin/stack/project";
import { firstError, translate } from "../../../bin/stack/pulumi";
import { inventoryOf } from "../harness";

let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-project-"));
  fs.writeFileSync(path.join(root, "Pulumi.yaml"), "name: containarium\nruntime: nodejs\n");
});
afterEach(() => fs.rmSync(root, { recursive: true }));

/** An engine that answers with a shell script. */
function engine(script: string) {
  fs.writeFileSync(path.join(root, "pulumi"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const run = { project: findProject(root), env: { PATH: `${root}:${process.env.PATH}` } };
  return (stack?: string) => readInventory(() => run, stack);
}

const json = JSON.stringify(inventoryOf("jump-1", "jump-2"));

test("reads the outputs of the stack that is named", async () => {
  const read = engine(
    `[ "$*" = "stack output inventory --json --stack prod --non-interactive --color never" ] && echo '${json}'`,
  );
  expect((await read("prod")).inventory.servers.map(({ name }) => name)).toEqual(["jump-1", "jump-2"]);
});

test("a balancer is part of it where there is one, at port 22 unless it says otherwise", async () => {
  const balanced = JSON.stringify({ ...inventoryOf("jump-1"), balancer: { address: "192.0.2.99" } });
  expect((await engine(`echo '${balanced}'`)("prod")).inventory.balancer).toEqual({ address: "192.0.2.99", port: 22 });
  expect((await engine(`echo '${json}'`)("prod")).inventory.balancer).toBeUndefined();
});

const unselected = `case "$*" in *"--stack local"*) echo '${json}';; *) echo "error: no stack selected; please use" >&2; exit 1;; esac`;

test("nothing selected: the local stack, if the project has one", async () => {
  const read = engine(unselected);
  await expect(read()).rejects.toMatchObject({ kind: "not-found", message: "no stack is selected" });
  fs.writeFileSync(path.join(root, "Pulumi.local.yaml"), "");
  expect((await read()).inventory.stack).toBe("local");
});

test("the engine's error is found wherever it stands, whatever else it warns of", async () => {
  const read = engine("echo 'warning: a newer version is there' >&2; echo '    error: the pool is full'; exit 1");
  await expect(read("prod")).rejects.toMatchObject({ kind: "failed", message: "pulumi: the pool is full" });
});

test("an inventory of another version says which field", async () => {
  const newer = JSON.stringify({ ...inventoryOf("jump-1"), schema: 2 });
  await expect(engine(`echo '${newer}'`)()).rejects.toMatchObject({
    kind: "failed",
    message: expect.stringMatching(/not one that this version reads: schema/),
  });
});

test.each([
  ["error: no stack named 'prod' found", "not-found", "no stack named prod"],
  [
    "error: current stack does not have output property 'inventory'",
    "not-found",
    "the stack has no inventory: it was never brought up",
  ],
  [
    "error: the stack is currently locked by 1 lock(s). Either wait",
    "conflict",
    "another Pulumi operation holds the stack",
  ],
  ["error: incorrect passphrase", "failed", "the stack's passphrase is wrong or missing"],
  [
    "warning: old\nerror: getting stack configuration: invalid YAML file",
    "failed",
    "pulumi: getting stack configuration: invalid YAML file",
  ],
])("%j is %s", (output, kind, message) => {
  expect(translate(output, { pulumi: "pulumi" })).toMatchObject({ kind, message });
});

test("an engine that says nothing: its words go through a file, and the disk may be full", () => {
  const error = translate("\n", { pulumi: "pulumi" });
  expect(error).toMatchObject({ message: "pulumi: failed without a word", remedy: expect.stringContaining("df -h") });
});

test("the first error of a failed update, without the engine's columns", () => {
  const output =
    "Updating (local):\n    containarium:Container alice **failed** 1 error\n  pulumi:pulumi:Stack x error: it broke\n";
  expect(firstError(output)).toBe("it broke");
});

test("of a list of errors, the first one and not its length", () => {
  const output = "  containarium:index:Container (bob):\n    error: 1 error occurred:\n    \t* bob lives on jump-2\n";
  expect(firstError(output)).toBe("bob lives on jump-2");
});

test("no Pulumi.yaml anywhere above: says how to do without", () => {
  fs.rmSync(path.join(root, "Pulumi.yaml"));
  expect(() => findProject(root)).toThrow(
    expect.objectContaining({ kind: "invalid", remedy: expect.stringContaining("--host") }),
  );
});

test("the project is found from a folder inside, and its own way to run the engine", () => {
  fs.mkdirSync(path.join(root, "a/b"), { recursive: true });
  expect(findProject(path.join(root, "a/b"))).toEqual({ root, name: "containarium", pulumi: "pulumi" });
  fs.writeFileSync(path.join(root, "package.json"), '{"scripts":{"pulumi":"node scripts/pulumi.js"}}');
  expect(findProject(root).pulumi).toBe("npm run pulumi --");
});
