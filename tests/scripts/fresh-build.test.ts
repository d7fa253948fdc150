import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

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
