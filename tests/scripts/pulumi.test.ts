import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { requireStack, runsProgram, wantedStack } from "../../scripts/pulumi";

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
