import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { parseArguments } from "../../../scripts/quickstart";
import { stepOf, summaryOf } from "../../../scripts/quickstart/bring-up";
import { relevant } from "../../../scripts/quickstart/engine-run";
import { ensureKeys } from "../../../scripts/quickstart/keys";
import { layout, templateConfig } from "../../../scripts/quickstart/layout";
import { isStale } from "../../../scripts/quickstart/packages";
import { openConfig, serverIds } from "../../../scripts/quickstart/stack";
import { otherFleets, quickstartStacks, stacksIn } from "../../../scripts/quickstart-down";
import { run } from "../../../scripts/run";

let root: string;
beforeEach(() => (root = mkdtempSync(path.join(os.tmpdir(), "containarium-quickstart-"))));
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, content: string): string {
  const at = path.join(root, file);
  mkdirSync(path.dirname(at), { recursive: true });
  writeFileSync(at, content);
  return at;
}

describe("parseArguments", () => {
  it.each([
    [[], { yes: false, stack: "local", help: false }],
    [["--yes", "--servers", "3"], { yes: true, servers: 3, stack: "local", help: false }],
    [["--balancer", "--servers", "2"], { yes: false, servers: 2, balancer: true, stack: "local", help: false }],
    [["--servers=3", "--stack=e2e", "-y"], { yes: true, servers: 3, stack: "e2e", help: false }],
  ])("%j", (args, expected) => expect(parseArguments(args)).toEqual(expected));

  it.each([
    [["--server", "3"], "unknown option --server"],
    [["up"], "unknown option up"],
    [["--servers"], "--servers (nothing) is not a number"],
    [["--servers", "0"], "--servers 0 is not a number from 1 to 240"],
    [["--servers", "two"], "--servers two is not a number"],
    [["--stack", "../x"], "--stack ../x is not a name"],
  ])("refuses %j", (args, message) => expect(() => parseArguments(args)).toThrow(message));
});

describe("serverIds", () => {
  it("makes ids 1 to N", () => expect(serverIds(3, [1])).toEqual([1, 2, 3]));
  it("never takes a server away", () =>
    expect(() => serverIds(2, [1, 2, 4])).toThrow("--servers 2 would remove jump-4"));
});

it("openConfig keeps comments and order, and writes only when something changed", () => {
  const before = "# people\nconfig:\n  containarium:target: local\n  # sparse\n  containarium:dataDiskSizeGb: 60\n";
  const file = write("Pulumi.local.yaml", before);
  openConfig(file).save();
  expect(readFileSync(file, "utf8")).toBe(before);
  const config = openConfig(file);
  config.set("localSubnet", "10.88.0.0/24");
  config.set("servers", [1, 2]);
  config.save();
  const after = readFileSync(file, "utf8");
  expect(after.startsWith(before)).toBe(true);
  expect(openConfig(file).get("servers")).toEqual([1, 2]);
  expect(openConfig(file).get("localSubnet")).toBe("10.88.0.0/24");
});

it("a new stack begins with what Pulumi.local.yaml was before the local fleet", () => {
  const file = write("Pulumi.local.yaml", "config: {}\n");
  expect(templateConfig(root)).toBe(file);
  write(".containarium/saved/Pulumi.local.yaml", "config: {}\n");
  write("Pulumi.local.yaml", "config: { containarium:localSubnet: 10.88.0.0/24 }\n");
  expect(readFileSync(templateConfig(root), "utf8")).toBe("config: {}\n");
});

describe("what the engine printed", () => {
  const output = `Updating (local):
 +  pulumi:pulumi:Stack containarium-local creating (0s)
 +  pulumi-nodejs:dynamic/containarium:LocalMachine jump-1 creating (12s)
 +  pulumi-nodejs:dynamic/containarium:LocalMachine jump-1 created (15s)
Outputs:
    inventory: {}

Resources:
    + 4 created
    ~ 1 updated
    2 unchanged

Duration: 20s
`;

  it("summaryOf counts changes", () => {
    expect(summaryOf(output)).toBe("4 created, 1 updated");
    expect(summaryOf("Resources:\n    5 unchanged\n\nDuration: 3s\n")).toBe("no changes");
    expect(summaryOf("Resources:\n    +-1 replaced\n    5 unchanged\n")).toBe("1 replaced");
  });

  it("stepOf takes what has come to an end", () => {
    expect(output.split("\n").flatMap((line) => stepOf(line) ?? [])).toEqual(["jump-1 created (15s)"]);
  });

  it("relevant takes the diagnostics, without stack traces", () => {
    const failed = `Updating (local):\n +  x creating failed\n\nDiagnostics:\n  containarium:LocalMachine (jump-1):\n    error: no\n      remedy\n        at Object.x (/a/b.js:1:2)\n\nResources:\n    + 1 created\n`;
    expect(relevant(failed)).toBe("  containarium:LocalMachine (jump-1):\n    error: no\n      remedy");
    expect(relevant("error: no stack\n")).toBe("error: no stack");
  });
});

describe("isStale", () => {
  const lock = (packages: object) => JSON.stringify({ packages: { "": {}, ...packages } });
  const wanted = { "node_modules/a": { version: "1.0.0" }, "node_modules/b": { version: "1.0.0", optional: true } };

  it.each([
    ["nothing is installed", undefined, true],
    ["all is installed", wanted, false],
    ["another platform's package is missing", { "node_modules/a": { version: "1.0.0" } }, false],
    ["a package is missing", { "node_modules/b": { version: "1.0.0" } }, true],
    ["a package has another version", { ...wanted, "node_modules/a": { version: "1.0.1" } }, true],
  ])("when %s: %s", (_what, installed, expected) => {
    write("package-lock.json", lock(wanted));
    if (installed) write("node_modules/.package-lock.json", lock(installed));
    expect(isStale(root)).toBe(expected);
  });

  it("this checkout's own packages are recognised", () => expect(isStale(process.cwd())).toBe(false));
});

it("ensureKeys makes keys for their owner only, keeps them, and mends a missing public half", async () => {
  const files = layout(root, "local");
  const quickstart = {
    root,
    stack: "local",
    files,
    runner: run,
    progress: { note: () => undefined, phase: () => Promise.reject() },
  };
  expect(await ensureKeys(quickstart)).toBe("made");
  expect(statSync(files.adminKey).mode & 0o777).toBe(0o600);
  const publicKey = readFileSync(`${files.aliceKey}.pub`, "utf8");
  expect(publicKey).toMatch(/^ssh-ed25519 \S+ alice\n$/);
  rmSync(`${files.aliceKey}.pub`);
  expect(await ensureKeys(quickstart)).toBe("there");
  expect(readFileSync(`${files.aliceKey}.pub`, "utf8")).toBe(publicKey);
});

describe("quickstart:down", () => {
  it("knows the stacks that quickstart made, and leaves others alone", () => {
    expect(quickstartStacks(root)).toEqual(["local"]);
    write(".containarium/saved/Pulumi.e2e.yaml", "");
    write(".containarium/state/.pulumi/stacks/containarium/prod.json", "{}");
    expect(quickstartStacks(root)).toEqual(["e2e", "local"]);
    expect(stacksIn(root)).toEqual(["prod"]);
  });

  it("finds other checkouts' fleets by their owner marks", () => {
    const other = path.join(root, "other");
    mkdirSync(other);
    const mark = (folder: string) => ({ config: { "user.containarium.owner": `local:${folder}` } });
    const instances = JSON.stringify([mark(root), mark(other), mark("/gone")]);
    expect(otherFleets(instances, root)).toEqual([other]);
    expect(existsSync(other)).toBe(true);
  });
});
