import { writeFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";

import { main } from "../../bin/main";
import { realServices } from "../../bin/services";
import { startFakeServer } from "../fakes/fake-server";
import type { FakeServer } from "../fakes/fake-server";
import { ALICE_KEY, keyPair } from "../fakes/keys";

/** The command line with nothing faked but the server: SSH, host keys, the library, exit codes. */
let fake: FakeServer;
beforeEach(async () => (fake = await startFakeServer()));
afterEach(() => fake.close());

async function cli(argv: string[], options: { pinned?: string; identity?: string } = {}) {
  const { address, directory } = fake;
  const file = (name: string, text: string) => {
    writeFileSync(path.join(directory, name), text);
    return path.join(directory, name);
  };
  file("alice.pub", ALICE_KEY);
  const where = [
    ...["--host", `admin@127.0.0.1:${address.port}`],
    ...["--known-hosts", file("known_hosts", `[127.0.0.1]:${address.port} ${options.pinned ?? address.hostKeys[0]}\n`)],
    ...["--identity", options.identity ?? address.identityFile ?? ""],
  ];
  const output = { stdout: "", stderr: "" };
  const code = await main(
    [...argv, ...where],
    {
      stdout: { write: (text) => (output.stdout += text) },
      stderr: { write: (text) => (output.stderr += text) },
      stdin: Readable.from([]),
      env: { HOME: directory, USER: "teacher" },
      cwd: directory,
      home: directory,
      signal: new AbortController().signal,
    },
    realServices,
  );
  return { code, ...output };
}

const create = ["create", "alice", "--ssh-key", "alice.pub"];

test("create, list, info, export, delete", async () => {
  const created = await cli([...create, "--json"]);
  expect(created.stderr).toContain("[7/7] SSH answers");
  expect(created.code).toBe(0);
  expect(JSON.parse(created.stdout).containers[0].ip).toMatch(/^10\.0\.3\.\d+$/);
  expect((await cli(["list"])).stdout).toMatch(/^alice-container +alice +running/m);
  expect((await cli(["info", "alice"])).stdout).toContain("Status:      running");
  expect((await cli(["export", "alice"])).stdout).toContain(`# known_hosts: 127.0.0.1 ${fake.address.hostKeys[0]}`);
  expect((await cli(["delete", "alice", "--force"])).code).toBe(0);
  expect((await cli(["info", "alice"])).code).toBe(3);
});

test("a second create: conflict, and the living container stays", async () => {
  await cli(create);
  const { code, stderr } = await cli(create);
  expect(code).toBe(4);
  expect(stderr).toContain("error: alice already has a container, alice-container on 127.0.0.1");
  expect(stderr).toMatch(/Try: {2}npx containarium-ops info alice --host admin@127.0.0.1:\d+ --identity/);
  expect((await cli(["info", "alice"])).code).toBe(0);
});

test("another host key than the pinned one: exit 5, both fingerprints, no login", async () => {
  const { code, stderr } = await cli(["list"], { pinned: keyPair().publicKey });
  expect(code).toBe(5);
  expect(stderr.match(/SHA256:[\w+/]+/g)).toHaveLength(2);
  expect(fake.logins).toBe(0);
});

test("the wrong admin key: exit 5", async () => {
  const identity = path.join(fake.directory, "other_key");
  writeFileSync(identity, keyPair().privateKey, { mode: 0o600 });
  expect((await cli(["list"], { identity })).code).toBe(5);
});

test("nobody listens: exit 6, in one line", async () => {
  const { port } = fake.address;
  await fake.close();
  fake = await startFakeServer();
  fake.address.port = port;
  const { code, stderr } = await cli(["list"]);
  expect(code).toBe(6);
  expect(stderr.split("\n")[0]).toMatch(/^error: .*127\.0\.0\.1/);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test("--verbose shows what is asked of the server, on stderr only", async () => {
  const { code, stdout, stderr } = await cli(["list", "--verbose", "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).containers).toEqual([]);
  expect(stderr).toMatch(/^\{.*"msg":"connected"\}$/m);
  expect(stderr).toMatch(/^\{.*"op":"account.list".*\}$/m);
  expect(stderr).toMatch(/^\{.*"method":"GET","path":"\/1.0\/instances\?recursion=1","milliseconds":\d+.*\}$/m);
  expect(stderr).not.toContain("PRIVATE KEY");
});
