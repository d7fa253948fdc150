import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { engineEnvironment, findEngine } from "../../../scripts/engine";
import { standInEnvironment, type StandInOptions } from "./environment";
import { PretendedProject } from "./project";

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

/** A small Pulumi project in a folder of its own, run by the real engine, with a pretended Google behind it. */
export class EngineProject {
  readonly google: PretendedProject;
  private readonly env: NodeJS.ProcessEnv;

  protected constructor(
    readonly root: string,
    options: StandInOptions,
    private readonly stack = "test",
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
    const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "containarium-google-")));
    fs.writeFileSync(path.join(root, "Pulumi.yaml"), "name: containarium\nruntime: nodejs\nmain: program.js\n");
    fs.writeFileSync(path.join(root, "package.json"), "{}");
    fs.writeFileSync(path.join(root, "program.js"), program);
    fs.symlinkSync(path.resolve("node_modules"), path.join(root, "node_modules"));
    const project = new EngineProject(root, options);
    await project.must("stack", "init", "test");
    return project;
  }

  /** `up`, `destroy`, ... with `--json`: see operations.ts for what to make of the output. */
  async run(command: string, wishes: Record<string, unknown> = {}, ...flags: string[]): Promise<EngineResult> {
    const yes = command === "preview" ? [] : ["--yes", "--skip-preview"];
    return await this.pulumi([command, "--stack", this.stack, "--json", ...yes, ...flags], wishes);
  }

  async must(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.pulumi(args, {});
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")}: ${stderr || stdout}`);
    return stdout;
  }

  remove(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
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
