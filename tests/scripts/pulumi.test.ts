import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { requireStack, runsProgram, unlock, wantedStack } from "../../scripts/pulumi";

it.each([
  [["up", "--stack", "prod"], {}, "prod"],
  [["-s", "prod", "up"], {}, "prod"],
  [["up", "--stack=prod"], {}, "prod"],
  [["up"], { PULUMI_STACK: "dev" }, "dev"],
  [["up"], {}, undefined],
])("wantedStack(%j) with %j is %s", (args, env, expected) => {
  expect(wantedStack(args, env)).toBe(expected);
});

it.each([
  [["up", "--yes"], true],
  [["--stack", "local", "destroy"], true],
  [["preview"], true],
  [["stack", "ls"], false],
  [["config", "set", "a", "b"], false],
  [["up", "--help"], false],
  [["version"], false],
])("runsProgram(%j) is %s", (args, expected) => {
  expect(runsProgram(args)).toBe(expected);
});

describe("requireStack", () => {
  let root: string;
  let env: NodeJS.ProcessEnv;
  beforeEach(() => {
    root = mkdtempSync(path.join(os.tmpdir(), "containarium-pulumi-"));
    env = { PULUMI_BACKEND_URL: `file://${root}/.containarium/state` };
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("names quickstart when the local stack was never made", () => {
    for (const args of [["up"], ["up", "--stack", "local"]]) {
      expect(() => requireStack(root, args, env)).toThrow("there is no local fleet yet");
    }
  });

  it("lets pass what does not need it", () => {
    for (const args of [["stack", "init", "local"], ["up", "--stack", "prod"], ["version"]])
      requireStack(root, args, env);
    requireStack(root, ["up", "--stack", "local"], { PULUMI_BACKEND_URL: "gs://elsewhere" });
  });

  it("lets pass when it is there", () => {
    const stacks = path.join(root, ".containarium/state/.pulumi/stacks/containarium");
    mkdirSync(stacks, { recursive: true });
    writeFileSync(path.join(stacks, "local.json"), "{}");
    requireStack(root, ["up", "--stack", "local"], env);
    requireStack(root, ["up"], env);
  });
});

it("a lock that a killed run has left in a file backend is no obstacle", () => {
  const backend = mkdtempSync(path.join(os.tmpdir(), "my state-"));
  const folder = path.join(backend, ".pulumi/locks/organization/containarium/prod");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "a.json"), JSON.stringify({ hostname: os.hostname(), pid: spawnSync("true").pid }));
  const said: string[] = [];
  unlock({ PULUMI_BACKEND_URL: "s3://bucket" }, (line) => said.push(line));
  unlock({}, (line) => said.push(line));
  expect([said, existsSync(path.join(folder, "a.json"))]).toEqual([[], true]);
  unlock({ PULUMI_BACKEND_URL: `file://${backend.replace(" ", "%20")}?no_tmp_dir=true` }, (line) => said.push(line));
  expect([said.length, existsSync(path.join(folder, "a.json"))]).toEqual([1, false]);
  rmSync(backend, { recursive: true });
});
