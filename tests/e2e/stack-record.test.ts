import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { runPulumi } from "../../bin/stack/pulumi";
import { engineEnvironmentFor } from "../../bin/stack/engine";
import { findProject } from "../../bin/stack/project";
import { openStack } from "../../bin/stack/stack";
import { CreationGate } from "../../ops/containers/creation-gate";
import { findEngine } from "../../scripts/engine";
import { ensureFreshBuild } from "../../scripts/fresh-build";
import { inventoryOf } from "../bin/harness";
import { until } from "../until";

/**
 * The real engine on a small project of its own: what the CLI asks of it must be what it does.
 */
const engine = findEngine();
const required = process.env.CONTAINARIUM_REQUIRE === "1";
if (!engine && !required) console.warn("skipped: the Pulumi engine is not on this machine (npm run quickstart)");
const withEngine = engine || required ? describe : describe.skip;

const program = `
const pulumi = require("@pulumi/pulumi");
const provider = {
  async create(inputs) {
    if (inputs.user === "unlucky") throw new Error("the pool is full");
    const load = require("module").createRequire(process.cwd() + "/");
    await load(process.env.TEST_GATE).passCreationGate(inputs.user);
    await new Promise((resolve) => setTimeout(resolve, Number(inputs.memory || 0)));
    return { id: inputs.user, outs: inputs };
  },
};
class Container extends pulumi.dynamic.Resource {
  constructor(user, args, options) { super(provider, user, args, options, "containarium", "Container"); }
}
const parent = new pulumi.ComponentResource("containarium:Servers", "servers");
for (const one of new pulumi.Config("containarium").getObject("containers") ?? []) new Container(one.user, one, { parent });
exports.inventory = { ...JSON.parse(process.env.TEST_INVENTORY), stack: pulumi.getStack() };
`;

withEngine("with the real engine", () => {
  let root: string;
  let env: NodeJS.ProcessEnv;
  const told: string[] = [];

  const pulumi = (...args: string[]) =>
    runPulumi(args, { project: findProject(root), env: engineEnvironmentFor(findProject(root), "local", env) });
  const open = (stack?: string, signal?: AbortSignal) =>
    openStack({ stack, cwd: root, env, home: root, signal, onWait: (text) => told.push(text) });
  const recorded = async () => {
    const state = JSON.parse(await pulumi("stack", "export", "--stack", "local")) as {
      deployment: { resources: { urn: string }[] };
    };
    return state.deployment.resources.flatMap(({ urn }) => /Container::(.+)$/.exec(urn)?.[1] ?? []).sort();
  };
  const person = (user: string, extra: object = {}) => ({ user, sshKeys: ["k"], server: "jump-1", ...extra });

  beforeAll(async () => {
    await ensureFreshBuild();
    root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "containarium-engine-")));
    env = {
      ...process.env,
      PULUMI_HOME: path.join(root, "home"),
      PULUMI_BACKEND_URL: `file://${root}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      TEST_GATE: path.resolve("dist/ops/containers/creation-gate.js"),
      TEST_INVENTORY: JSON.stringify(inventoryOf("jump-1")),
    };
    fs.writeFileSync(
      path.join(root, "Pulumi.yaml"),
      "name: containarium\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: program.js\n",
    );
    fs.writeFileSync(path.join(root, "package.json"), "{}");
    fs.writeFileSync(path.join(root, "program.js"), program);
    fs.symlinkSync(path.resolve("node_modules"), path.join(root, "node_modules"));
    await pulumi("stack", "init", "local");
    await pulumi("stack", "init", "other");
    fs.appendFileSync(path.join(root, "Pulumi.local.yaml"), "# kept\n");
    await pulumi("up", "--yes", "--skip-preview", "--stack", "local");
  }, 240_000);
  afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

  test("adds and removes people, one and several, and leaves nothing for the next `up` to do", async () => {
    const stack = await open("local");
    await stack.record({ put: [person("alice"), person("bob")] }, 10_000);
    expect(await recorded()).toEqual(["alice", "bob"]);
    await pulumi("preview", "--expect-no-changes", "--stack", "local");
    await stack.record({ remove: ["bob", "never-there"] }, 10_000);
    expect(await recorded()).toEqual(["alice"]);
    await pulumi("preview", "--expect-no-changes", "--stack", "local");
    expect(fs.readFileSync(path.join(root, "Pulumi.local.yaml"), "utf8")).toContain("# kept");
  }, 120_000);

  test("does not change which stack is selected", async () => {
    await pulumi("stack", "select", "other");
    const stack = await open("local");
    await stack.record({ put: [person("carol")] }, 10_000);
    expect((await pulumi("stack", "--show-name")).trim()).toBe("other");
  }, 120_000);

  test("waits for another update, and records after it", async () => {
    const stack = await open("local");
    const slow = stack.record({ put: [person("dave", { memory: "4000" })] }, 0);
    await lockOf(root);
    const again = await open("local");
    await expect(again.waitUntilUnlocked(0)).rejects.toMatchObject({ kind: "conflict" });
    await again.record({ put: [person("erin")] }, 120_000);
    await slow;
    expect(await recorded()).toEqual(expect.arrayContaining(["dave", "erin"]));
    expect(told.at(-1)).toMatch(/^Waiting up to \d+s: stack local is locked by /);
  }, 120_000);

  test("two administrators at once, each a process of their own: both people exist and both are recorded", async () => {
    const administrator = `
      const { openStack } = require(${JSON.stringify(path.resolve("dist/bin/stack/stack.js"))});
      const { root, person } = JSON.parse(process.env.TEST_WORK);
      openStack({ stack: "local", cwd: root, env: process.env, home: root, onWait: () => undefined })
        .then((stack) => stack.record({ put: [person] }, 120000))
        .catch((error) => { console.error(error); process.exitCode = 1; });`;
    const both = ["fiona", "george"].map((user) => person(user, { memory: "1500" }));
    const ends = both.map((one) => {
      const TEST_WORK = JSON.stringify({ root, person: one });
      const child = spawn(process.execPath, ["-e", administrator], { env: { ...env, TEST_WORK }, cwd: root });
      let said = "";
      child.stderr.on("data", (data: Buffer) => (said += data.toString()));
      return new Promise((resolve) => child.on("close", (code) => resolve({ code, said })));
    });
    expect(await Promise.all(ends)).toEqual([
      { code: 0, said: "" },
      { code: 0, said: "" },
    ]);
    expect(await recorded()).toEqual(expect.arrayContaining(["fiona", "george"]));
    expect((await (await open("local")).desired()).map(({ user }) => user)).toEqual(
      expect.arrayContaining(["fiona", "george"]),
    );
    await pulumi("preview", "--expect-no-changes", "--stack", "local");
  }, 180_000);

  test("begun before a person is there: nobody hears of them until they are, and then all do", async () => {
    const stack = await open("local");
    const ahead = await stack.recordAhead({ put: [person("helen")] }, 10_000);
    await lockOf(root);
    expect((await stack.desired()).map(({ user }) => user)).not.toContain("helen");
    await ahead.finish();
    expect((await stack.desired()).map(({ user }) => user)).toContain("helen");
    expect(await recorded()).toContain("helen");
    await pulumi("preview", "--expect-no-changes", "--stack", "local");
  }, 120_000);

  test("begun for somebody who is not made in the end: nothing is recorded, and the stack is free", async () => {
    const stack = await open("local");
    for (const moment of [0, 3_000]) {
      const ahead = await stack.recordAhead({ put: [person("ian")] }, 10_000);
      await new Promise((resolve) => setTimeout(resolve, moment));
      await ahead.abandon();
      await stack.waitUntilUnlocked(0);
    }
    expect((await stack.desired()).map(({ user }) => user)).not.toContain("ian");
    expect(await recorded()).not.toContain("ian");
    await pulumi("preview", "--expect-no-changes", "--stack", "local");
  }, 120_000);

  test("the engine that nobody stops reads nothing but the config it was given, however soon its maker gives up", async () => {
    const state = () => fs.readFileSync(path.join(root, ".pulumi/stacks/containarium/local.json"), "utf8");
    const saltOf = (text: string) => /"salt": ?"([^"]+)"/.exec(text)?.[1];
    const before = state();
    expect(saltOf(before)).toBeDefined();
    // As after SIGTERM, which the engine does not get.
    const stop = new AbortController();
    const stopped = await open("local", stop.signal);
    const folders = () => fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith("containarium-create-"));
    const there = folders();
    const ahead = await stopped.recordAhead({ put: [person("nora")] }, 0);
    stop.abort();
    await ahead.abandon();
    expect(saltOf(state())).toBe(saltOf(before));
    expect(folders()).toEqual(there);
    expect(await recorded()).not.toContain("nora");
  }, 120_000);

  test("it cannot be begun on a full disk: then it is done when the person is there", async () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    jest.spyOn(CreationGate, "make").mockRejectedValueOnce(full);
    const ahead = await (await open("local")).recordAhead({ put: [person("kate")] }, 0);
    await ahead.finish();
    expect(await recorded()).toContain("kate");
  }, 120_000);

  describe("begun, and the disk is full when the person is there", () => {
    const begin = async (user: string, signal?: AbortSignal) => {
      const ahead = await (await open("local", signal)).recordAhead({ put: [person(user)] }, 0);
      await lockOf(root);
      jest.spyOn(CreationGate.prototype, "open").mockImplementationOnce(() => {
        throw new Error("ENOSPC: no space left on device");
      });
      return ahead;
    };

    test("it is done again, and does not find the stack held by itself", async () => {
      await (await begin("laura")).finish();
      expect(await recorded()).toContain("laura");
    }, 120_000);

    test("it is not after Ctrl-C; the config has the person for the next `up`, and the stack is free", async () => {
      const stop = new AbortController();
      const ahead = await begin("mike", stop.signal);
      stop.abort();
      await expect(ahead.finish()).rejects.toThrow("no space left");
      const stack = await open("local");
      await stack.waitUntilUnlocked(0);
      expect((await stack.desired()).map(({ user }) => user)).toContain("mike");
      expect(await recorded()).not.toContain("mike");
    }, 120_000);
  });

  test("whoever began it is killed: nothing is recorded, and the stack is free again by itself", async () => {
    const administrator = `
      const { openStack } = require(${JSON.stringify(path.resolve("dist/bin/stack/stack.js"))});
      const { root, person } = JSON.parse(process.env.TEST_WORK);
      openStack({ stack: "local", cwd: root, env: process.env, home: root, onWait: () => undefined })
        .then((stack) => stack.recordAhead({ put: [person] }, 1000))
        .then(() => setInterval(() => undefined, 1000));`;
    const TEST_WORK = JSON.stringify({ root, person: person("jane") });
    const child = spawn(process.execPath, ["-e", administrator], { env: { ...env, TEST_WORK }, cwd: root });
    await lockOf(root);
    child.kill("SIGKILL");
    const stack = await open("local");
    await until(() => stack.waitUntilUnlocked(0).then(() => true, () => false), 30, "the stack to be free"); // prettier-ignore
    expect((await stack.desired()).map(({ user }) => user)).not.toContain("jane");
    expect(await recorded()).not.toContain("jane");
  }, 120_000);

  test("a failed update says why, in one line; the config keeps the person for the next `up`", async () => {
    const stack = await open("local");
    const error = await stack.record({ put: [person("unlucky")] }, 10_000).catch((caught) => caught);
    expect(error).toMatchObject({ kind: "failed", message: expect.stringContaining("the pool is full") });
    expect(error.message).not.toContain("\n");
    expect((await stack.desired()).map(({ user }) => user)).toContain("unlucky");
  }, 120_000);
});

/** Until somebody holds the stack. */
async function lockOf(backend: string): Promise<void> {
  const folder = path.join(backend, ".pulumi/locks/organization/containarium/local");
  const held = () => fs.existsSync(folder) && fs.readdirSync(folder).some((name) => name.endsWith(".json"));
  await until(held, 20, "somebody to take the stack");
}
