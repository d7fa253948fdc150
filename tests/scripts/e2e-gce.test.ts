import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { parseArguments, proveWithGoogle, stackConfig } from "../../scripts/e2e-gce";
import type { RunResult } from "../../scripts/run";
import { settingsFrom } from "../../components/settings";
import { ALICE_KEY } from "../fakes/keys";

const options = { project: "my-project", source: "203.0.113.7/32", zone: "us-central1-a", keep: false };

let root: string;
let said: string[];
/** What is answered to a command that contains these words; else success. */
let answers: Record<string, Partial<RunResult>[]>;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-e2e-gce-"));
  said = [];
  answers = { "sha256sum data": [{ stdout: "abc  data\n" }] };
  jest.spyOn(process.stdout, "write").mockReturnValue(true);
  jest.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(() => {
  jest.restoreAllMocks();
  fs.rmSync(root, { recursive: true });
});

async function runner(command: string[]): Promise<RunResult> {
  const line = command.join(" ").replaceAll(root, "");
  said.push(line);
  if (command[0] === "ssh-keygen") fs.writeFileSync(`${command.at(-1)}.pub`, `${ALICE_KEY}\n`);
  const [, queue = []] = Object.entries(answers).find(([words]) => line.includes(words)) ?? [];
  return { code: 0, stdout: "", stderr: "", ...(queue.length > 1 ? queue.shift() : queue[0]) };
}

const prove = () => proveWithGoogle(options, { root, runner, env: {}, engineEnv: {} });
const told = (words: string) => said.findIndex((line) => line.includes(words));

test("the whole way, in order, and nothing is left", async () => {
  await prove();
  const steps = ["pulumi up", "create alice", "export alice", "cat > data", "instances stop containarium-gce-e2e-jump-1", "preview --expect-no-changes", "pulumi destroy", "disks delete containarium-gce-e2e-jump-1-data", "pulumi stack rm"]; // prettier-ignore
  const at = steps.map(told);
  expect(at).toEqual([...at].sort((a, b) => a - b));
  expect(at).not.toContain(-1);
  expect(fs.existsSync(path.join(root, "Pulumi.gce-e2e.yaml"))).toBe(false);
  const report = JSON.parse(fs.readFileSync(path.join(root, ".containarium/gce-e2e/report.json"), "utf8"));
  expect(report).toMatchObject({ succeeded: true, project: "my-project" });
});

test("a failure in the middle removes everything, too", async () => {
  answers["pulumi up"] = [{ code: 255, stderr: "error: quota" }];
  await expect(prove()).rejects.toThrow(/pulumi up/);
  expect(told("pulumi destroy")).toBeGreaterThan(told("pulumi up"));
  expect(told("disks delete")).toBeGreaterThan(0);
  expect(fs.existsSync(path.join(root, "Pulumi.gce-e2e.yaml"))).toBe(false);
});

test("data that came back different is a failure", async () => {
  answers["sha256sum data"] = [{ stdout: "abc  data\n" }, { stdout: "other  data\n" }];
  await expect(prove()).rejects.toThrow(/not what she wrote/);
});

test("what could not be removed is named, and the stack stays to remove it with", async () => {
  answers["pulumi destroy"] = [{ code: 255, stderr: "error: in use" }];
  await expect(prove()).rejects.toMatchObject({ log: expect.stringContaining("in use"), remedy: expect.stringContaining("destroy") }); // prettier-ignore
  expect(fs.existsSync(path.join(root, "Pulumi.gce-e2e.yaml"))).toBe(true);
  await expect(prove()).rejects.toThrow(/an earlier run was cut off/);
});

test("its stack is one that the program takes", () => {
  const { config } = stackConfig(options, { adminKey: ALICE_KEY, adminFile: ".containarium/gce-e2e/admin" });
  const { "gcp:project": project, ...ours } = config;
  const values = Object.fromEntries(
    Object.entries(ours).map(([key, value]) => [key.replace("containarium:", ""), value]),
  );
  expect(settingsFrom("gce-e2e", values, project).google).toMatchObject({ spot: true, machineType: "e2-medium" });
});

test.each([
  [["--project", "my-project"], /--source/],
  [["--source", "203.0.113.7/32"], /--project/],
  [["--project", "my-project", "--source", "here"], /--source/],
  [["--project", "my-project", "--source", "203.0.113.7/32", "--zone", "moon"], /--zone moon/],
  [["--banana"], /--banana/],
])("refuses %j", (args, message) => {
  expect(() => parseArguments(args)).toThrow(message);
});
