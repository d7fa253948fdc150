import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { withBlock, withInclude } from "../../bin/ssh/install";
import { containerOf, keys, run, World } from "./harness";

let world: World;
let home: string;

beforeEach(() => {
  world = new World();
  world.containers = [containerOf("alice")];
  home = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-export-"));
});
afterEach(() => fs.rmSync(home, { recursive: true }));

const cli = (...argv: string[]) => run(["export", ...argv], world, home);
const read = (...names: string[]) => fs.readFileSync(path.join(home, ...names), "utf8");
const mode = (...names: string[]) => (fs.statSync(path.join(home, ...names)).mode & 0o777).toString(8);

/** What OpenSSH itself makes of a config, for one host. */
function resolved(file: string, host: string): string[] {
  return execFileSync("ssh", ["-G", "-F", file, host], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).split("\n");
}

test("on stdout: one file that says how to use it, keys included", async () => {
  const { code, stdout, stderr } = await cli("alice", "--key", "~/.ssh/alice key");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout.replaceAll(keys.host, "HOSTKEY")).toMatchInlineSnapshot(`
   "# SSH access for alice
   #
   # 1. Save this file as ~/.ssh/config.d/containarium-alice
   #    and make this the first line of ~/.ssh/config:   Include config.d/containarium-*
   # 2. Pin the servers' keys, which came with this file:
   #    sed -n 's/^# known_hosts: //p' ~/.ssh/config.d/containarium-alice >> ~/.ssh/containarium_known_hosts
   # 3. ssh alice-dev
   #
   # known_hosts: jump-1 HOSTKEY
   # known_hosts: alice-container HOSTKEY

   Host alice-jump
       HostName 192.0.2.1
       Port 22
       HostKeyAlias jump-1
       User alice
       IdentityFile "~/.ssh/alice key"
       IdentitiesOnly yes
       StrictHostKeyChecking yes
       UserKnownHostsFile ~/.ssh/containarium_known_hosts
       UpdateHostKeys no
       ServerAliveInterval 30

   Host alice-dev
       HostName 10.0.3.10
       HostKeyAlias alice-container
       ProxyJump alice-jump
       User alice
       IdentityFile "~/.ssh/alice key"
       IdentitiesOnly yes
       StrictHostKeyChecking yes
       UserKnownHostsFile ~/.ssh/containarium_known_hosts
       UpdateHostKeys no
       ServerAliveInterval 30
   "
  `);
});

test("the commands that it names pin the keys, and ssh takes the file", async () => {
  const { stdout } = await cli("alice");
  const file = path.join(home, "containarium-alice");
  fs.writeFileSync(file, stdout);
  const pinned = execFileSync("sed", ["-n", "s/^# known_hosts: //p", file], {
    encoding: "utf8",
  });
  expect(pinned).toBe(`jump-1 ${keys.host}\nalice-container ${keys.host}\n`);
  expect(resolved(file, "alice-dev")).toEqual(
    expect.arrayContaining(["user alice", "hostname 10.0.3.10", "proxyjump alice-jump", "stricthostkeychecking true"]),
  );
});

test("--output: config and keys beside it, absolute paths, private, nothing changed the second time", async () => {
  fs.mkdirSync(path.join(home, "a b"));
  const { code, stdout } = await cli("alice", "--key", "keys/alice", "--output", "a b/ssh_config");
  expect(code).toBe(0);
  expect(stdout).toContain("ssh -F 'a b/ssh_config' alice-dev");
  const file = path.join(home, "a b/ssh_config");
  expect(resolved(file, "alice-dev")).toEqual(
    expect.arrayContaining([
      `identityfile ${path.join(home, "keys/alice")}`,
      `userknownhostsfile "${file}.known_hosts"`.replaceAll('"', ""),
    ]),
  );
  expect(read("a b", "ssh_config.known_hosts")).toBe(`jump-1 ${keys.host}\nalice-container ${keys.host}\n`);
  expect([mode("a b", "ssh_config"), mode("a b", "ssh_config.known_hosts")]).toEqual(["600", "600"]);
  expect(fs.readdirSync(path.join(home, "a b"))).toHaveLength(2);
  const again = await cli("alice", "--key", "keys/alice.pub", "--output", "a b/ssh_config");
  expect(again.stdout).toContain("(unchanged)");
});

test("--output into a folder names the file itself; --json says where", async () => {
  fs.mkdirSync(path.join(home, "out"));
  const { stdout } = await cli("alice", "--output", "out", "--json");
  const configFile = path.join(home, "out", "containarium-alice");
  expect(JSON.parse(stdout)).toEqual({
    schema: 1,
    export: {
      user: "alice",
      configFile,
      knownHostsFile: `${configFile}.known_hosts`,
      changed: true,
    },
    failures: [],
  });
});

test("--output into a folder that is not there: a cause, not a stack trace", async () => {
  fs.writeFileSync(path.join(home, "file"), "");
  const { code, stderr } = await cli("alice", "--output", "file/below");
  expect(code).toBe(2);
  expect(stderr).toContain("error: cannot write");
});

test("--install: own file, own keys, one Include on top; again changes nothing; others keep theirs", async () => {
  world.containers.push(containerOf("bob", { ip: "10.0.3.11" }));
  fs.mkdirSync(path.join(home, ".ssh"));
  fs.writeFileSync(path.join(home, ".ssh/config"), "Host *\n    ForwardAgent no\n", { mode: 0o640 });
  const first = await cli("alice", "--install");
  expect(first.stdout).toContain("Try:  ssh alice-dev");
  await cli("bob", "--install");
  const again = await cli("alice", "--install");
  expect(again.stdout).toContain("(unchanged)");
  expect(read(".ssh/config")).toBe("Include config.d/containarium-*\n\nHost *\n    ForwardAgent no\n");
  expect(mode(".ssh/config")).toBe("640");
  expect(mode(".ssh/config.d/containarium-alice")).toBe("600");
  expect(read(".ssh/containarium_known_hosts").match(/^# begin .*/gm)).toEqual([
    "# begin containarium alice",
    "# begin containarium bob",
  ]);
  expect(read(".ssh/config.d/containarium-bob")).toContain("HostName 10.0.3.11");
});

test("--install keeps a config that is a symbolic link", async () => {
  fs.mkdirSync(path.join(home, ".ssh"));
  fs.writeFileSync(path.join(home, "dotfile"), "");
  fs.symlinkSync("../dotfile", path.join(home, ".ssh/config"));
  await cli("alice", "--install");
  expect(fs.lstatSync(path.join(home, ".ssh/config")).isSymbolicLink()).toBe(true);
  expect(read("dotfile")).toContain("Include");
});

test("--jump-ip replaces the address, not the name under which the key is pinned", async () => {
  const { stdout } = await cli("alice", "--jump-ip", "203.0.113.9");
  expect(stdout).toContain("HostName 203.0.113.9");
  expect(stdout).toContain("HostKeyAlias jump-1");
});

test("before a balanced fleet: its address, and the keys of all servers under one name; --jump-ip still leads elsewhere", async () => {
  world.servers = ["jump-1", "jump-2"];
  world.balancer = { address: "192.0.2.99", port: 2222 };
  const { stdout } = await cli("alice");
  expect(stdout).toContain("HostName 192.0.2.99\n    Port 2222\n    HostKeyAlias containarium-jump\n");
  expect(stdout.match(/^# known_hosts: .*/gm)).toEqual([
    `# known_hosts: containarium-jump ${keys.host}`,
    `# known_hosts: containarium-jump ${keys.host}`,
    `# known_hosts: alice-container ${keys.host}`,
  ]);
  expect((await cli("alice", "--jump-ip", "192.0.2.1")).stdout).toBe(stdout.replace("192.0.2.99", "192.0.2.1"));
});

test("on the server itself the address must be said", async () => {
  world.containers = [containerOf("alice", { server: "localhost" })];
  const { code, stderr } = await cli("alice", "--local");
  expect(code).toBe(2);
  expect(stderr).toContain("Try:  npx containarium-ops export alice --jump-ip ADDRESS --local");
});

test("nobody of that name: exit 3, nothing written", async () => {
  const { code } = await cli("carol", "--install");
  expect(code).toBe(3);
  expect(fs.readdirSync(home)).toEqual([]);
});

test("a container that has no host key yet cannot be exported: there would be nothing to check", async () => {
  world.containers = [containerOf("alice", { hostKeys: [] })];
  const { code, stderr } = await cli("alice");
  expect(code).toBe(1);
  expect(stderr).toContain("its host key is not known yet");
});

describe("withInclude", () => {
  test.each([
    ["Include config.d/containarium-*\n"],
    ["# mine\nInclude ~/.ssh/config.d/*\n\nHost x\n"],
    ['include other "/home/a/.ssh/config.d/*"\n'],
  ])("%j covers it already", (text) => expect(withInclude(text, "/home/a")).toBe(text));

  test("an Include below a Host counts for that host only", () => {
    const text = "Host x\n  Include config.d/*\n";
    expect(withInclude(text, "/home/a")).toBe(`Include config.d/containarium-*\n\n${text}`);
  });
});

test("withBlock replaces a block in its place and leaves foreign lines alone", () => {
  const before = withBlock(withBlock("mine ssh-rsa A", "alice", "jump-1 old\n"), "bob", "jump-1 b\n");
  expect(withBlock(before, "alice", "jump-1 new\nalice-container new\n")).toBe(
    [
      "mine ssh-rsa A",
      "# begin containarium alice",
      "jump-1 new",
      "alice-container new",
      "# end containarium alice",
      "# begin containarium bob",
      "jump-1 b",
      "# end containarium bob",
      "",
    ].join("\n"),
  );
});
