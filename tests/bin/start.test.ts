import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

import { keys } from "./harness";

/** The program itself, as `npx containarium-ops` starts it. */
const root = path.resolve(__dirname, "../..");
const program = path.join(root, "bin/containarium-ops");

function start(argv: string[], env: NodeJS.ProcessEnv = {}, cwd = root) {
  return spawnSync(program, argv, { cwd, encoding: "utf8", env: { ...process.env, ...env } });
}

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-start-"));
  // The first start after an edit compiles; not what is looked at here.
  start(["--version"]);
}, 120_000);
afterAll(() => fs.rmSync(folder, { recursive: true }));

test("--help loads nothing heavy: no SSH, no HTTP client, no engine SDK, no schema library", () => {
  const hook = path.join(folder, "hook.js");
  fs.writeFileSync(hook, `process.on("exit", () => process.stderr.write(Object.keys(require.cache).join("\\n")));`);
  const { status, stdout, stderr } = start(["--help"], { NODE_OPTIONS: `--require ${hook}` });
  expect(status).toBe(0);
  expect(stdout).toContain("containarium-ops create [users..]");
  const packages = new Set([...stderr.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)\//g)].map(([, name]) => name));
  expect(packages).toContain("yargs");
  for (const heavy of ["ssh2", "undici", "@pulumi/pulumi", "zod", "pino", "typescript"]) {
    expect(packages).not.toContain(heavy);
  }
});

test("the exit code is the process' own; data and talk are apart", () => {
  const { status, stdout, stderr } = start(["create", "root", "--ssh-key", "x", "--json"]);
  expect(status).toBe(2);
  expect(JSON.parse(stdout).error.kind).toBe("invalid");
  expect(stderr).toMatch(/^error: the user name root is reserved/);
});

test("outside of any project: says how to do without", () => {
  const { status, stderr } = start(["list"], {}, folder);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^error: no Pulumi.yaml here or in any folder above\n.*--host user@address/);
});

test("a reader that goes away is no error", () => {
  const { stderr } = spawnSync("sh", ["-c", `${program} --help | true`], { encoding: "utf8" });
  expect(stderr).toBe("");
});

test("Ctrl-C while a server does not answer: exit 130 at once, and what to type to go on", async () => {
  const silent = net.createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as net.AddressInfo;
  fs.writeFileSync(path.join(folder, "known_hosts"), `[127.0.0.1]:${port} ${keys.host}\n`);
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.join(folder, "admin")]);
  const where = ["--host", `admin@127.0.0.1:${port}`, "--known-hosts", "known_hosts", "--identity", "admin"];
  const child = spawn(program, ["list", ...where], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await once(silent, "connection");
  child.kill("SIGINT");
  const [code] = (await once(child, "close")) as [number | null];
  silent.close();
  expect(code).toBe(130);
  expect(stderr).toContain("error: interrupted\n");
  expect(stderr).toContain(`Try:  npx containarium-ops list --host admin@127.0.0.1:${port}`);
}, 20_000);
