import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { exitCodeOf } from "../../bin/output/error";
import { OperationError } from "../../ops/errors";
import type { ErrorKind } from "../../ops/errors";
import { containerOf, keys, run, World } from "./harness";

/** docs/json.md is a promise: every example in it has exactly the fields that the commands print. */
const text = fs.readFileSync(path.join(__dirname, "../../docs/json.md"), "utf8");
const documented = [...text.matchAll(/^```json\n(.*?)^```/gms)].map(([, json = ""]) => JSON.parse(json) as unknown);

/** The fields of a value, types in place of values; of a list the first item. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field)]));
}

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-json-"));
  fs.writeFileSync(path.join(folder, "alice.pub"), keys.alice);
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

async function json(world: World, ...argv: string[]): Promise<unknown> {
  const { stdout } = await run([...argv, "--json"], world, folder);
  // One document, one line: it can be read line by line.
  expect(stdout.match(/\n/g)).toHaveLength(1);
  return JSON.parse(stdout);
}

const create = ["create", "alice", "--ssh-key", "alice.pub"];
const withAlice = () => Object.assign(new World(), { containers: [containerOf("alice")] });
const withoutServer = () => Object.assign(new World(), { down: new Set(["jump-1"]) });
const failing = () => {
  const world = new World();
  world.onCreate = () => {
    throw new OperationError("x", { server: "jump-1", leftBehind: "y", remedy: "z" });
  };
  return world;
};

test.each<[string, number, () => World, string[]]>([
  ["create", 0, () => new World(), create],
  ["list", 0, withAlice, ["list"]],
  ["info", 0, withAlice, ["info", "alice"]],
  ["delete", 1, withAlice, ["delete", "alice", "--force"]],
  ["export", 2, withAlice, ["export", "alice"]],
  ["export --output", 3, withAlice, ["export", "alice", "--output", "out"]],
  ["export --install", 3, withAlice, ["export", "alice", "--install"]],
  ["failures", 4, withoutServer, ["list"]],
  ["error", 5, failing, create],
])("%s prints what is documented", async (_name, example, world, argv) => {
  expect(shapeOf(await json(world(), ...argv))).toEqual(shapeOf(documented[example]));
});

test("the exit codes are those of the table", () => {
  const rows = [...text.matchAll(/^\| `([a-z-]+)` +\| (\d+)/gm)];
  expect(rows).toHaveLength(9);
  for (const [, kind, code] of rows) expect(exitCodeOf(kind as ErrorKind)).toBe(Number(code));
});
