import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { hostKeysOf, knownHostsFiles, pinnedKeys } from "../../../bin/ssh/known-hosts";
import { ContainariumError } from "../../../ops/errors";
import { keys } from "../harness";

const key = keys.host;
const other = keys.alice.split(" ").slice(0, 2).join(" ");

test.each([
  ["plain", `jump.example ${key}`, "jump.example", 22, [key]],
  ["with a comment", `jump.example ${key} root@jump`, "jump.example", 22, [key]],
  ["one of several names", `a,JUMP.example,b ${key}`, "jump.Example", 22, [key]],
  ["two keys", `jump ${key}\njump ${other}`, "jump", 22, [key, other]],
  ["another port", `[jump]:2222 ${key}`, "jump", 2222, [key]],
  ["the wrong port", `jump ${key}`, "jump", 2222, []],
  ["an address", `2001:db8::5 ${key}`, "2001:DB8::5", 22, [key]],
  ["a comment line", `# jump ${key}`, "jump", 22, []],
  ["a pattern is not a pin", `*.example ${key}`, "jump.example", 22, []],
  ["a certificate authority is not a pin", `@cert-authority jump ${key}`, "jump", 22, []],
  ["revoked", `jump ${key}\n@revoked jump ${key}`, "jump", 22, []],
  ["nothing", "", "jump", 22, []],
])("%s", (_name, text, host, port, expected) => expect(pinnedKeys(text, host, port)).toEqual(expected));

test("hashed names, as ssh-keygen -H writes them", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-hosts-"));
  const file = path.join(folder, "known_hosts");
  fs.writeFileSync(file, `jump.example ${key}\n[jump.example]:2222 ${other}\n`);
  execFileSync("ssh-keygen", ["-q", "-H", "-f", file], { stdio: "ignore" });
  const text = fs.readFileSync(file, "utf8");
  expect(text).not.toContain("jump.example");
  expect(pinnedKeys(text, "jump.example", 22)).toEqual([key]);
  expect(pinnedKeys(text, "jump.example", 2222)).toEqual([other]);
  expect(pinnedKeys(text, "jump.examples", 22)).toEqual([]);
  fs.rmSync(folder, { recursive: true });
});

describe("hostKeysOf", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-hosts-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  test("the first file that knows the host decides; missing files do not matter", () => {
    fs.mkdirSync(path.join(folder, "project/.containarium"), { recursive: true });
    fs.writeFileSync(path.join(folder, "project/.containarium/known_hosts"), `jump ${key}\n`);
    expect(hostKeysOf("jump", 22, knownHostsFiles(folder, path.join(folder, "project")))).toEqual([key]);
  });

  test("a file that is named is read alone", () => {
    fs.writeFileSync(path.join(folder, "default"), `jump ${key}\n`);
    fs.writeFileSync(path.join(folder, "given"), `other ${key}\n`);
    const attempt = () => hostKeysOf("jump", 22, [path.join(folder, "default")], path.join(folder, "given"));
    expect(attempt).toThrow(/not known here/);
    expect(kindOf(attempt)).toBe("authentication");
  });

  test("a file that is named must be there", () => {
    const attempt = () => hostKeysOf("jump", 22, [], path.join(folder, "missing"));
    expect(attempt).toThrow(/no such file/);
    expect(kindOf(attempt)).toBe("invalid");
  });
});

function kindOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
  } catch (error) {
    return (error as ContainariumError).kind;
  }
  return undefined;
}
