import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { waitFor } from "../../ops/wait";
import { ensureFreshBuild, sourceHash } from "../../scripts/fresh-build";
import { run, type Runner } from "../../scripts/run";

const nodeModules = path.resolve("node_modules");
let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), "containarium-build-"));
  symlinkSync(nodeModules, path.join(root, "node_modules"));
  write("package.json", JSON.stringify({ name: "sample", version: "1.0.0" }));
  write("tsconfig.json", JSON.stringify({ compilerOptions: { module: "node16", target: "es2022", lib: ["es5"], skipLibCheck: true, outDir: "dist", rootDir: ".", strict: true, incremental: true, types: [] }, include: ["index.ts", "ops/**/*.ts"] })); // prettier-ignore
  write("tsconfig.build.json", JSON.stringify({ extends: "./tsconfig.json", compilerOptions: { noEmitOnError: true, tsBuildInfoFile: "dist/.build.tsbuildinfo" } })); // prettier-ignore
  write("index.ts", 'import { answer } from "./ops/answer";\nexport const text = `the answer is ${answer}`;\n');
  write("ops/answer.ts", "export const answer: number = 41;\n");
});
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, content: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), content);
}
const built = (file: string) => path.join(root, "dist", file);

it("builds, then leaves it, then builds again after an edit", async () => {
  expect(await ensureFreshBuild(root)).toBe(true);
  expect(await ensureFreshBuild(root)).toBe(false);
  write("ops/answer.ts", "export const answer: number = 42;\n");
  expect(await ensureFreshBuild(root)).toBe(true);
  expect(readFileSync(built("ops/answer.js"), "utf8")).toContain("42");
}, 60_000);

it("builds again after an edit that leaves size and time of the file as they were, a moment or a while after the last look", async () => {
  const file = path.join(root, "ops/answer.ts");
  const setTime = () => utimesSync(file, 1_700_000_000, 1_700_000_000);
  setTime();
  for (const [answer, pause] of [
    [42, 0],
    [43, 1_100],
  ] as const) {
    await ensureFreshBuild(root);
    const pausedUntil = statSync(path.join(root, "dist/.sources-seen"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    await waitFor(() => Date.now() >= pausedUntil + pause, { what: "a while", timeoutMs: 5_000 });
    await ensureFreshBuild(root);
    write("ops/answer.ts", `export const answer: number = ${answer};\n`);
    setTime();
    expect(await ensureFreshBuild(root)).toBe(true);
    expect(readFileSync(built("ops/answer.js"), "utf8")).toContain(String(answer));
  }
}, 60_000);

it("does not read what it has seen", async () => {
  await ensureFreshBuild(root);
  const newest = Math.max(...["index.ts", "ops/answer.ts"].map((file) => statSync(path.join(root, file)).ctimeMs));
  await waitFor(() => Date.now() > newest + 1_100, { what: "a while", timeoutMs: 5_000 });
  await ensureFreshBuild(root);
  const read = jest.spyOn(fs, "readFileSync");
  expect(await ensureFreshBuild(root)).toBe(false);
  const files = read.mock.calls.map(([file]) => path.relative(root, String(file)));
  read.mockRestore();
  expect(files).toEqual(["dist/.sources", "dist/.sources-seen"]);
}, 60_000);

it("refuses sources that do not compile, every time, and says where", async () => {
  await ensureFreshBuild(root);
  write("ops/answer.ts", 'export const answer: number = "x";\n');
  const failure = {
    message: expect.stringContaining("do not compile"),
    log: expect.stringMatching(/^ops\/answer\.ts\(1,14\): error TS2322/),
  };
  await expect(ensureFreshBuild(root)).rejects.toMatchObject(failure);
  await expect(ensureFreshBuild(root)).rejects.toMatchObject(failure);
}, 60_000);

it("removes what was built from a source that is no more", async () => {
  write("ops/old.ts", "export const old = 1;\n");
  await ensureFreshBuild(root);
  expect(existsSync(built("ops/old.js"))).toBe(true);
  rmSync(path.join(root, "ops/old.ts"));
  await ensureFreshBuild(root);
  expect(existsSync(built("ops/old.js"))).toBe(false);
  expect(existsSync(built("ops/answer.js"))).toBe(true);
}, 60_000);

it("builds again what somebody deleted from dist/, stamp included", async () => {
  await ensureFreshBuild(root);
  rmSync(built(".sources"));
  rmSync(built("ops/answer.js"));
  await ensureFreshBuild(root);
  expect(existsSync(built("ops/answer.js"))).toBe(true);
}, 60_000);

it("is built once by two who ask at the same time", async () => {
  let compilations = 0;
  const counting: Runner = (command, options) => {
    compilations++;
    return run(command, options);
  };
  await Promise.all([ensureFreshBuild(root, { runner: counting }), ensureFreshBuild(root, { runner: counting })]);
  expect(compilations).toBe(1);
}, 60_000);

it("stays stale when a source is edited while it builds", async () => {
  const editing: Runner = async (command, options) => {
    const result = await run(command, options);
    write("ops/answer.ts", "export const answer: number = 43;\n");
    return result;
  };
  await ensureFreshBuild(root, { runner: editing });
  expect(await ensureFreshBuild(root)).toBe(true);
  expect(readFileSync(built("ops/answer.js"), "utf8")).toContain("43");
}, 60_000);

it("leaves an installed package alone: it has no sources", async () => {
  rmSync(path.join(root, "index.ts"));
  expect(await ensureFreshBuild(root)).toBe(false);
  expect(existsSync(path.join(root, "dist"))).toBe(false);
});

it("says what to do when there is no compiler", async () => {
  rmSync(path.join(root, "node_modules"));
  await expect(ensureFreshBuild(root)).rejects.toMatchObject({ remedy: "npm ci" });
});

it("the hash tells a renamed file from its old self", () => {
  const before = sourceHash(root);
  rmSync(path.join(root, "ops/answer.ts"));
  write("ops/reply.ts", "export const answer: number = 41;\n");
  expect(sourceHash(root)).not.toBe(before);
});
