import { execFileSync } from "node:child_process";
import * as path from "node:path";

const root = path.join(__dirname, "..", "..");
const hook = path.join(root, "scripts", "defer-modules.js");

/** What a program prints as JSON, in a Node of its own, with the modules deferred or as Pulumi loads them. */
function printed(program: string, deferred: boolean): unknown {
  const args = [...(deferred ? ["--require", hook] : []), "-e", program];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })); // prettier-ignore
}

test("what only serialises functions is not loaded with Pulumi", () => {
  const program = `
    require("@pulumi/pulumi");
    const heavy = /node_modules.(typescript|@npmcli)./;
    console.log(JSON.stringify(Object.keys(require.cache).filter((file) => heavy.test(file)).length > 0));`;
  expect(printed(program, true)).toBe(false);
  // The test would notice when Pulumi no longer loads them itself, and all this can go.
  expect(printed(program, false)).toBe(true);
});

test("functions are serialised as without it, and their packages named", () => {
  const program = `
    const { runtime } = require("@pulumi/pulumi");
    const path = require("node:path");
    const one = { twice: (n) => path.join(String(n), String(2 * n)) };
    (async () => {
      const { text } = await runtime.serializeFunction(() => one.twice(21));
      const paths = await runtime.computeCodePaths({ extraExcludePackages: ["@pulumi/gcp"] });
      console.log(JSON.stringify({ text, paths: [...paths.keys()].sort() }));
    })();`;
  const deferred = printed(program, true);
  expect(deferred).toEqual(printed(program, false));
  expect(deferred).toMatchObject({ text: expect.stringContaining("twice"), paths: expect.arrayContaining([expect.stringContaining("ssh2")]) }); // prettier-ignore
});
