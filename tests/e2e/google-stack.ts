import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { parseDocument } from "yaml";

import { EngineProject } from "../google/stand-in/engine-run";
import type { StandInOptions } from "../google/stand-in/environment";
import { changesIn, errorsIn, summaryOf } from "../google/stand-in/operations";
import { ALICE_KEY } from "../fakes/keys";

/** What the stack files leave to whoever uses them. */
const own = {
  "gcp:project": "pretended",
  "containarium:allowedSshSources": ["203.0.113.0/24"],
  "containarium:adminSshKeys": [ALICE_KEY],
};

/** One of the project's stack files, as it is, in a folder of its own, run by the real engine against the stand-ins. */
export class GoogleStack extends EngineProject {
  private constructor(
    root: string,
    options: StandInOptions,
    private readonly name: string,
  ) {
    super(root, options, name);
  }

  static async open(name: string, options: StandInOptions = {}, answers: object = own): Promise<GoogleStack> {
    const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), `containarium-${name}-`)));
    const project = fs.readFileSync("Pulumi.yaml", "utf8").replace(/^main: .*$/m, "main: program.js");
    fs.writeFileSync(path.join(root, "Pulumi.yaml"), project);
    installPackage(root);
    fs.writeFileSync(path.join(root, "package.json"), "{}");
    fs.writeFileSync(
      path.join(root, "program.js"),
      'module.exports = require("./node_modules/containarium/dist/index.js");\n',
    );
    fs.copyFileSync(`Pulumi.${name}.yaml`, path.join(root, `Pulumi.${name}.yaml`));
    const stack = new GoogleStack(root, options, name);
    await stack.must("stack", "init", name);
    stack.configure(answers as Record<string, unknown>);
    return stack;
  }

  /** Changes the stack's file as an administrator would; undefined removes a key. */
  configure(values: Record<string, unknown>): void {
    const file = path.join(this.root, `Pulumi.${this.name}.yaml`);
    const document = parseDocument(fs.readFileSync(file, "utf8"));
    for (const [key, value] of Object.entries(values)) {
      const at = ["config", key.includes(":") ? key : `containarium:${key}`];
      if (value === undefined) document.deleteIn(at);
      else document.setIn(at, value);
    }
    fs.writeFileSync(file, String(document));
  }

  /** What `pulumi COMMAND` changes or would change, a line each. @throws Error with the engine's errors */
  async changes(command: "up" | "preview" | "destroy" | "refresh", ...flags: string[]): Promise<string[]> {
    const { code, stdout, stderr } = await this.run(command, {}, ...flags);
    if (code !== 0) throw new Error(errorsIn(stdout).join("\n") || diagnostics(stdout) || stdout + stderr);
    return summaryOf(changesIn(stdout));
  }

  /** A file of startup/ in this stack's own copy of the package. */
  startupFile(name: string): string {
    return path.join(this.root, "node_modules/containarium/startup", name);
  }

  async outputs(): Promise<Record<string, any>> {
    return JSON.parse(await this.must("stack", "output", "--json", "--stack", this.name)) as Record<string, any>;
  }
}

/** A copy of the built package, as `npm install containarium` would leave it: a test may change its startup files. */
function installPackage(root: string): void {
  const installed = path.join(root, "node_modules");
  const own = path.join(installed, "containarium");
  fs.mkdirSync(own, { recursive: true });
  for (const name of fs.readdirSync("node_modules")) {
    if (!name.startsWith(".")) fs.symlinkSync(path.resolve("node_modules", name), path.join(installed, name));
  }
  for (const name of ["dist", "startup", "package.json"]) fs.cpSync(name, path.join(own, name), { recursive: true });
}

/** The errors in what `pulumi preview --json` says, which is one object. */
function diagnostics(stdout: string): string {
  if (!stdout.startsWith("{\n")) return "";
  const said = JSON.parse(stdout) as { diagnostics?: { severity: string; message: string }[] };
  const errors = (said.diagnostics ?? []).filter(({ severity }) => severity === "error");
  return errors.map(({ message }) => message.trim()).join("\n");
}
