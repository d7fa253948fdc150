import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { parseDocument } from "yaml";

import { engineEnvironment, findEngine } from "../../../scripts/engine";
import { standInEnvironment, type StandInOptions } from "./environment";
import { changesIn, errorsIn, summaryOf } from "./operations";
import { PretendedProject } from "./project";

/** Keys of the stack's configuration; `containarium:` need not be said. */
type Config = Record<string, unknown>;

export interface EngineResult {
  code: number;
  stdout: string;
  stderr: string;
}

const required = process.env.CONTAINARIUM_REQUIRE === "1";

/** `describe` where the engine is; else skipped, with the reason. */
export function describeWithEngine(): jest.Describe {
  const engine = findEngine();
  if (!engine && !required) console.warn("skipped: the Pulumi engine is not on this machine (npm run quickstart)");
  return engine || required ? describe : describe.skip;
}

/** A Pulumi project in a folder of its own, run by the real engine, with a pretended Google behind it. */
export class EngineProject {
  readonly google: PretendedProject;
  private readonly env: NodeJS.ProcessEnv;

  private constructor(
    readonly root: string,
    readonly stack: string,
    options: StandInOptions,
  ) {
    const standIn = standInEnvironment(path.join(root, "google"), options);
    this.google = new PretendedProject(standIn.CONTAINARIUM_STAND_IN!);
    this.env = engineEnvironment(root, undefined, {
      ...standIn,
      PULUMI_HOME: path.join(root, "home"),
      PULUMI_BACKEND_URL: `file://${root}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
    });
  }

  /** @param program JavaScript, run from a folder in which the installed packages are found */
  static async create(program: string, options: StandInOptions = {}): Promise<EngineProject> {
    return await EngineProject.at("test", options, {
      "Pulumi.yaml":
        "name: containarium\nruntime:\n  name: nodejs\n  options:\n    typescript: false\nmain: program.js\n",
      "program.js": program,
    });
  }

  /**
   * One of this repository's stack files as it is, with what an administrator adds to it by `pulumi config set`, and the
   * built program in a copy of the package, as `npm install containarium` leaves it.
   */
  static async ofStack(stack: string, config: Config, options: StandInOptions = {}): Promise<EngineProject> {
    const file = `Pulumi.${stack}.yaml`;
    const project = await EngineProject.at(stack, options, {
      "Pulumi.yaml": fs.readFileSync("Pulumi.yaml", "utf8").replace(/^main: .*$/m, "main: program.js"),
      "program.js": 'module.exports = require("./node_modules/containarium/scripts/program.js");\n',
      [file]: fs.readFileSync(file, "utf8"),
    });
    project.configure(config);
    return project;
  }

  private static async at(
    stack: string,
    options: StandInOptions,
    files: Record<string, string>,
  ): Promise<EngineProject> {
    const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "containarium-google-")));
    for (const [name, text] of Object.entries({ "package.json": "{}", ...files })) {
      fs.writeFileSync(path.join(root, name), text);
    }
    installPackage(path.join(root, "node_modules"));
    const project = new EngineProject(root, stack, options);
    await project.must("stack", "init", stack);
    return project;
  }

  /** Sets keys of the stack's configuration; undefined removes one. */
  configure(config: Config): void {
    const file = path.join(this.root, `Pulumi.${this.stack}.yaml`);
    const document = parseDocument(fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "");
    for (const [key, value] of Object.entries(config)) {
      const at = ["config", key.includes(":") ? key : `containarium:${key}`];
      if (value === undefined) document.deleteIn(at);
      else document.setIn(at, value);
    }
    fs.writeFileSync(file, document.toString());
  }

  /** A file of startup/ in this project's own copy of the package. */
  startupFile(name: string): string {
    return path.join(this.root, "node_modules/containarium/startup", name);
  }

  async outputs(): Promise<Record<string, any>> {
    return JSON.parse(await this.must("stack", "output", "--json", "--stack", this.stack));
  }

  /** `up`, `destroy`, ... with `--json`: see operations.ts for what to make of the output. */
  async run(command: string, wishes: Record<string, unknown> = {}, ...flags: string[]): Promise<EngineResult> {
    const yes = command === "preview" ? [] : ["--yes", "--skip-preview"];
    return await this.pulumi([command, "--stack", this.stack, "--json", ...yes, ...flags], wishes);
  }

  /** What `pulumi COMMAND` changes or would change, a line each. @throws Error with the engine's errors */
  async changes(command: "up" | "preview" | "destroy" | "refresh", ...flags: string[]): Promise<string[]> {
    const { code, stdout, stderr } = await this.run(command, {}, ...flags);
    if (code !== 0) throw new Error(errorsIn(stdout).join("\n") || stdout + stderr);
    return summaryOf(changesIn(stdout));
  }

  async must(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.pulumi(args, {});
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")}: ${stderr || stdout}`);
    return stdout;
  }

  remove(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }

  /** The environment that the engine runs in, for programs that call it themselves. */
  get environment(): NodeJS.ProcessEnv {
    return { ...this.env };
  }

  /** The program reads its wishes from the variable WISHES. */
  private async pulumi(args: string[], wishes: Record<string, unknown>): Promise<EngineResult> {
    const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: this.root,
      env: { ...this.env, WISHES: JSON.stringify(wishes) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const code = await new Promise<number>((resolve) => child.once("close", (exit) => resolve(exit ?? -1)));
    return { code, stdout, stderr };
  }
}

/** Modules are this repository's own, but for the package itself: of that a test may change the startup files. */
function installPackage(folder: string): void {
  const own = path.join(folder, "containarium");
  fs.mkdirSync(own, { recursive: true });
  for (const name of fs.readdirSync("node_modules")) {
    if (!name.startsWith(".")) fs.symlinkSync(path.resolve("node_modules", name), path.join(folder, name));
  }
  for (const name of ["dist", "scripts", "startup", "package.json"])
    fs.cpSync(name, path.join(own, name), { recursive: true });
}
