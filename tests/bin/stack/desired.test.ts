import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parse } from "yaml";

import { editConfig } from "../../../bin/stack/config-text";
import { changeDesired, readDesired } from "../../../bin/stack/desired";

const config = `# The school's people.
config:
  containarium:servers: [1, 2] # two rooms
  containarium:containers:
    # alice came first
    - user: alice
      sshKeys:
        - ssh-ed25519 AAAA alice
      memory: 8GiB # she compiles
    - { user: bob, sshKeys: [ssh-ed25519 BBBB bob] } # short form
encryptionsalt: v1:abc
`;

const carol = { user: "carol", sshKeys: ["ssh-ed25519 CCCC carol"], server: "jump-2" };
const edit = (text: string, change: Parameters<typeof editConfig>[1]) => editConfig(text, change, "Pulumi.local.yaml");

test("adding a person adds lines and changes none", () => {
  const after = edit(config, { put: [carol] });
  const added = after.split("\n").filter((line) => !config.split("\n").includes(line));
  expect(added).toEqual(["    - user: carol", "        - ssh-ed25519 CCCC carol", "      server: jump-2"]);
  for (const line of config.split("\n")) expect(after).toContain(line);
  expect(parse(after).config["containarium:containers"][2]).toEqual(carol);
});

test("adding and removing gives the text from before, byte by byte", () => {
  expect(edit(edit(config, { put: [carol] }), { remove: ["carol"] })).toBe(config);
});

test("removing a person keeps everybody's comments but theirs", () => {
  const after = edit(config, { remove: ["bob"] });
  expect(after).toBe(config.replace(/.*user: bob.*\n/, ""));
});

test("replacing a person changes what differs and keeps every comment", () => {
  const put = { user: "alice", sshKeys: ["ssh-ed25519 AAAA alice"], memory: "8GiB", server: "jump-1" };
  expect(tight(edit(config, { put: [put] }))).toBe(
    tight(config).replace("8GiB # she compiles\n", "8GiB # she compiles\n      server: jump-1\n"),
  );
  const without = { user: "alice", sshKeys: ["ssh-ed25519 AAAA alice"] };
  expect(tight(edit(config, { put: [without] }))).toBe(tight(config).replace(/ {6}memory.*\n/, ""));
});

/** Without the spaces inside of brackets: a replaced item may change them. */
function tight(text: string): string {
  return text.replace(/(?<=[{[]) +| +(?=[}\]])/g, "");
}

test("the same again is the same text, whatever its style", () => {
  const odd = "config: {containarium:containers: [{user: bob, sshKeys: [k]}]}\n";
  expect(edit(odd, { put: [{ user: "bob", sshKeys: ["k"] }] })).toBe(odd);
  expect(edit(config, { remove: ["nobody"] })).toBe(config);
});

test.each([
  ["an empty file", ""],
  ["no config", "encryptionsalt: v1:abc\n"],
  ["an empty list", "config:\n  containarium:containers: []\n"],
  ["a key without a value", "config:\n  containarium:containers:\n"],
  ["lists that are not indented", "config:\n  containarium:containers:\n  - user: alice\n    sshKeys:\n    - k\n"],
])("the first person: %s", (_name, text) => {
  const after = edit(text, { put: [carol] });
  expect(parse(after).config["containarium:containers"]).toContainEqual(carol);
  expect(after).toContain("user: carol\n");
  expect(parse(edit(after, { remove: ["carol", "alice"] })).config["containarium:containers"]).toEqual([]);
});

test("lists that are not indented stay so", () => {
  const text = "config:\n  containarium:containers:\n  - user: alice\n    sshKeys:\n    - k\n";
  expect(edit(text, { put: [carol] }).startsWith(text)).toBe(true);
});

test("a config that is not one is refused with its name", () => {
  expect(() => edit("config: [", { put: [carol] })).toThrow(/^Pulumi.local.yaml is not valid YAML/);
  expect(() => edit("config:\n  containarium:containers: alice\n", { put: [carol] })).toThrow(/is not a list/);
});

describe("on disk", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-config-"));
    file = path.join(folder, "Pulumi.local.yaml");
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  test("keeps the mode, leaves no other file behind, says whether it changed", async () => {
    fs.writeFileSync(file, config, { mode: 0o640 });
    expect(await changeDesired(file, { put: [carol] })).toBe(true);
    expect(await changeDesired(file, { put: [carol] })).toBe(false);
    expect(fs.statSync(file).mode & 0o777).toBe(0o640);
    expect(fs.readdirSync(folder)).toEqual(["Pulumi.local.yaml"]);
    expect((await readDesired(file)).map(({ user }) => user)).toEqual(["alice", "bob", "carol"]);
  });

  test("a file that is not there yet", async () => {
    expect(await readDesired(file)).toEqual([]);
    await changeDesired(file, { put: [carol] });
    expect(await readDesired(file)).toEqual([carol]);
  });

  test("many at once: nobody is lost", async () => {
    const users = Array.from({ length: 12 }, (_, index) => `user${index}`);
    await Promise.all(users.map((user) => changeDesired(file, { put: [{ user, sshKeys: ["k"] }] })));
    expect((await readDesired(file)).map(({ user }) => user).sort()).toEqual([...users].sort());
  });
});
