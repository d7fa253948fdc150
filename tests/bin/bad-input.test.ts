import fs from "node:fs";

import { folderOfKeys, run, World } from "./harness";

let folder: string;

beforeAll(() => (folder = folderOfKeys()));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const key = ["--ssh-key", "alice.pub"];

/** Command line; cause, as it stands after `error: `; a line of the remedy. All exit 2 before anything is contacted. */
const table: [string[], string, string][] = [
  [[], "no command given", "Try:  npx containarium-ops --help"],
  [["frobnicate"], "unknown command: frobnicate", "Try:  npx containarium-ops --help"],
  [["lst"], "unknown command: lst", "Did you mean list?"],
  [["list", "extra"], "unexpected argument: extra", "Try:  npx containarium-ops list --help"],
  [["list", "--frobnicate"], "unknown option: --frobnicate", "Try:  npx containarium-ops list --help"],
  [["list", "--stack", "a", "--host", "admin@b"], "--stack and --host exclude each other", "--help"],
  [["list", "--host", "admin@b", "--local"], "--host and --local exclude each other", "--help"],
  [["list", "--stack"], "--stack needs a value", "--help"],
  [["list", "--host", "jump"], "--host jump is not user@address[:port]", "admin@203.0.113.5"],
  [
    ["list", "--host", "admin@-oProxyCommand=x"],
    "--host admin@-oProxyCommand=x is not user@address[:port]",
    "For example",
  ],
  [["create"], "a user name is missing", "Try:  npx containarium-ops create --help"],
  [["create", "alice"], "missing: --ssh-key", "Give the user's public key:  --ssh-key alice.pub"],
  [["create", "alice", "--ssh-key"], "--ssh-key needs a value", "--help"],
  [["create", "Alice", ...key], '"Alice" is not a valid user name', "small letter first"],
  [["create", "zz;id", ...key], '"zz;id" is not a valid user name', "small letter first"],
  [["create", "../x", ...key], '"../x" is not a valid user name', "small letter first"],
  [["create", "root", ...key], "the user name root is reserved for the server itself", "Choose another name."],
  [["create", "alice", "alice", ...key], "alice is named twice", "once"],
  [["create", "alice", "bob", ...key], "one key for 2 users: alice.pub", "--ssh-key 'keys/{user}.pub'"],
  [["create", "bob", "unlucky", "--ssh-key", "{user}.pub"], "bob and unlucky have the same key", "their own"],
  [
    ["create", "alice", "--ssh-key", "id_ed25519"],
    "id_ed25519 is a private key",
    "Try:  npx containarium-ops create alice --ssh-key id_ed25519.pub",
  ],
  [
    ["create", "alice", "--ssh-key", "missing.pub"],
    "no such file: missing.pub",
    "Try:  ssh-keygen -t ed25519 -f missing",
  ],
  [["create", "alice", "--ssh-key", "."], "cannot read .: it is a folder", "Give the file of a public key"],
  [["create", "alice", "--ssh-key", "empty.pub"], "empty.pub holds no public key", "public key"],
  [["create", "alice", "--ssh-key", "garbage.pub"], "garbage.pub is not an OpenSSH public key", "ssh-keygen"],
  [["create", "alice", "--ssh-key", "cut.pub"], "cut.pub is damaged", "Copy the whole line"],
  [
    ["create", "alice", "--ssh-key", "options.pub"],
    "options.pub has options before the key type",
    "Give the key alone",
  ],
  [["create", "alice", "--ssh-key", "newline.pub"], "newline.pub line 2 is damaged", "Copy the whole line"],
  [["create", "alice", ...key, "--memory", "banana"], '--memory "banana" is not a size', "for example 4GiB"],
  [["create", "alice", ...key, "--memory", "1MiB"], "--memory 1MiB is too small", "at least"],
  [["create", "alice", ...key, "--disk-quota", "-5GB"], '--disk-quota "-5GB" is not a size', "for example 4GiB"],
  [["create", "alice", ...key, "--cpu", "many"], '--cpu "many" is not a number of cores', "for example 4"],
  [["create", "alice", ...key, "--cpu", "0"], "--cpu 0 is not a number of cores", "from 0.1"],
  [["create", "alice", ...key, "--cpu", "1", "--cpu", "2"], "--cpu is given 2 times", "once"],
  [["create", "alice", ...key, "--image", " "], "--image is empty", "default image"],
  [["create", "alice", ...key, "--lock-timeout", "soon"], '--lock-timeout "soon" is not a number of seconds', "120"],
  [["create", "--from", "missing.csv"], "no such file: missing.csv", "--from FILE"],
  [
    ["create", "alice", "--from", "users.csv"],
    "--from has the names",
    "Try:  npx containarium-ops create --from users.csv",
  ],
  [["info"], "a user name is missing", "Try:  npx containarium-ops info --help"],
  [["info", "Bob"], '"Bob" is not a valid user name', "small letter first"],
  [
    ["delete", "bob"],
    "delete asks before it deletes bob, and nobody is at a terminal",
    "Try:  npx containarium-ops delete bob --force",
  ],
  [["delete", "BOB", "--force"], '"BOB" is not a valid user name', "small letter first"],
  [["start"], "a user name is missing", "Try:  npx containarium-ops start --help"],
  [["stop", "alice", "--grace", "long"], '--grace "long" is not a number of seconds', "--grace 60"],
  [["restart", "root"], "the user name root is reserved", "another name"],
  [["autostart", "alice"], "autostart needs on or off", "Try:  npx containarium-ops autostart alice off"],
  [["autostart", "off"], "autostart needs on or off", "autostart"],
  [["resize", "alice"], "resize needs a new size", "Try:  npx containarium-ops resize alice --memory 8GiB"],
  [["resize", "alice", "--memory", "lots"], '--memory "lots" is not a size', "for example 4GiB"],
  [["resize", "alice", "--cpu", "0.001"], "--cpu 0.001 is not a number of cores", "from 0.1"],
  [["snapshot", "create"], "a user name is missing", "Try:  npx containarium-ops snapshot create --all"],
  [["snapshot", "create", "alice", "--all"], "--all is everybody", "--all"],
  [["snapshot", "create", "alice", "--name", "../x"], '"../x" is not a snapshot name', "before-exam"],
  [["snapshot", "create", "alice", "--expires", "soon"], '--expires "soon" is not a span of time', "30d"],
  [["snapshot", "restore", "alice"], "a user name is missing", "Try:  npx containarium-ops snapshot restore --help"],
  [
    ["snapshot", "restore", "alice", "x"],
    "snapshot restore asks before data is lost",
    "Try:  npx containarium-ops snapshot restore alice x --force",
  ],
  [
    ["snapshot", "delete", "alice", "x"],
    "snapshot delete asks before data is lost",
    "Try:  npx containarium-ops snapshot delete alice x --force",
  ],
  [["backup", "alice"], "missing: --output", "Say where to:  -o alice.tar.gz"],
  [["backup", "alice", "-o", "alice.pub"], "alice.pub is there already", "backup alice -o alice.pub --force"],
  [["restore", "alice", "missing.tar.gz"], "no such file: missing.tar.gz", "wrote"],
  [["restore", "alice", "."], "cannot read .: it is no file", "wrote"],
  [["keys"], "keys: no command given", "Try:  npx containarium-ops keys --help"],
  [["keys", "lst"], "unknown command: keys lst", "Did you mean list?"],
  [["keys", "frobnicate", "alice"], "unknown command: frobnicate", "Try:  npx containarium-ops keys --help"],
  [["keys", "list"], "a user name is missing", "Try:  npx containarium-ops keys list --help"],
  [["keys", "list", "alice", "bob"], "unexpected argument: bob", "Try:  npx containarium-ops keys list --help"],
  [["keys", "list", "Alice"], '"Alice" is not a valid user name', "small letter first"],
  [["keys", "add", "alice"], "missing: --ssh-key", "Give the user's public key:  --ssh-key alice.pub"],
  [
    ["keys", "add", "alice", "--ssh-key", "id_ed25519"],
    "id_ed25519 is a private key",
    "Try:  npx containarium-ops keys add alice --ssh-key id_ed25519.pub",
  ],
  [["keys", "add", "alice", "--ssh-key", "garbage.pub"], "garbage.pub is not an OpenSSH public key", "ssh-keygen"],
  [["keys", "add", "alice", "--ssh-key", "-", "--ssh-key", "-"], "--ssh-key - is given twice", "once"],
  [["keys", "remove", "alice"], "missing: --key", "Say which one:  --key laptop"],
  [
    ["keys", "remove", "alice", "--key", "SHA256:abc"],
    '--key "SHA256:abc" is not a whole fingerprint',
    "43 characters",
  ],
  [["keys", "remove", "alice", "--key", "missing.pub"], "no such file: missing.pub", "ssh-keygen"],
  [["keys", "remove", "alice", "--key", " "], "--key is empty", "Name a key."],
  [["keys", "replace", "alice", "--key", "x"], "missing: --ssh-key", "public key"],
  [["export", "alice", "--output", "x", "--install"], "--output and --install exclude each other", "--help"],
  [["export", "alice", "--jump-ip", "a b"], '--jump-ip "a b" is not an address', "203.0.113.5"],
  [["export", "alice", "--key", "a\nb"], '--key "a\\nb" is not a file name', "private key"],
];

test.each(table)("%j", async (argv, cause, remedy) => {
  const world = new World();
  const { code, stdout, stderr } = await run(argv, world, folder);
  const [first, ...rest] = stderr.split("\n");
  expect(first).toContain(`error: ${cause}`);
  expect(rest.join("\n")).toContain(remedy);
  expect(stdout).toBe("");
  expect(code).toBe(2);
  // Short, no page of usage, no stack trace, nothing contacted.
  expect(stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(4);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(world.calls).toEqual([]);
});

test("with --json the same error is a document on stdout", async () => {
  const { code, stdout, stderr } = await run(["create", "root", ...key, "--json"], new World(), folder);
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toEqual({
    schema: 1,
    error: {
      kind: "invalid",
      message: "the user name root is reserved for the server itself",
      remedy: "Choose another name.",
    },
  });
  expect(stderr).toContain("error: the user name root is reserved");
});

test("even a command line that cannot be read is answered in JSON when --json is in it", async () => {
  const { stdout } = await run(["list", "--json", "--frobnicate"], new World(), folder);
  expect(JSON.parse(stdout).error.kind).toBe("invalid");
});

test("an unknown host is refused: exit 5, and nothing is contacted", async () => {
  const world = new World();
  const { code, stderr } = await run(["list", "--host", "admin@203.0.113.5"], world, folder);
  expect(code).toBe(5);
  expect(stderr).toContain("error: the host key of 203.0.113.5 is not known here, and nothing is trusted on first use");
  expect(stderr).toContain("203.0.113.5 ssh-ed25519 AAAA...");
  expect(world.calls).toEqual([]);
});

test("--help and --version: exit 0, on stdout", async () => {
  for (const argv of [["--help"], ["create", "--help"]]) {
    const { code, stdout, stderr } = await run(argv, new World(), folder);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("--json");
  }
  const { version } = JSON.parse(fs.readFileSync(`${__dirname}/../../package.json`, "utf8")) as { version: string };
  expect(await run(["--version"], new World(), folder)).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});
