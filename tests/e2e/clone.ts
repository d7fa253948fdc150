import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { ownerKey } from "../../components/local/owner";
import { removeEverything } from "../../components/local/teardown";
import { templateConfig } from "../../scripts/quickstart/layout";

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
  seconds: number;
}

/**
 * The stack of the end-to-end tests: beside a developer's own `local` fleet, never in its way. CONTAINARIUM_TEST_STACK
 * gives it another name, for two runs side by side.
 */
export const stack = process.env["CONTAINARIUM_TEST_STACK"] ?? "e2e";

/**
 * A run that was killed leaves its fleet on the host: removes it, if its process is gone.
 * @throws Error when another run is under way
 */
export async function removeLeftovers(): Promise<void> {
  const networks = JSON.parse(execFileSync("incus", ["network", "list", "-f", "json"], { encoding: "utf8" }));
  for (const { config } of networks as { config: Record<string, string> }[]) {
    const [owner, projectDirectory = ""] = (config[ownerKey] ?? "").split(":");
    if (owner !== stack) continue;
    const pid = existsSync(pidFile(projectDirectory)) ? Number(readFileSync(pidFile(projectDirectory), "utf8")) : 0;
    if (pid > 0 && existsSync(`/proc/${pid}`))
      throw new Error(`process ${pid} runs the same tests in ${projectDirectory}`);
    await removeEverything({ projectDirectory, stack });
    rmSync(projectDirectory, { recursive: true, force: true });
  }
}

const pidFile = (clone: string) => path.join(clone, ".e2e-process");

/** What a person gets who clones the project now: the tracked and new files, nothing built, nothing installed. */
export function freshClone(): string {
  const clone = mkdtempSync(path.join(os.tmpdir(), "containarium-e2e-"));
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    encoding: "utf8",
  });
  for (const file of listed.split("\0").filter(Boolean)) {
    mkdirSync(path.dirname(path.join(clone, file)), { recursive: true });
    cpSync(file, path.join(clone, file));
  }
  // Whoever has a local fleet here has its people and its salt in that file.
  cpSync(templateConfig(process.cwd()), path.join(clone, "Pulumi.local.yaml"));
  writeFileSync(pidFile(clone), String(process.pid));
  return clone;
}

/** The same after its first `npm run quickstart`: packages and build are there, as they are here. */
export function usedClone(): string {
  const clone = freshClone();
  execFileSync("cp", ["-al", "node_modules", clone]);
  if (existsSync("dist")) execFileSync("cp", ["-a", "dist", clone]);
  return clone;
}

/** Runs a program and gathers what it says; never throws for an exit code. Ends it after `timeoutMs`. */
export function run(
  command: string[],
  options: { cwd: string; input?: string; timeoutMs?: number; env?: NodeJS.ProcessEnv },
): Promise<Result> {
  const [program = "", ...args] = command;
  const begin = Date.now();
  return new Promise((resolve) => {
    const child: ChildProcess = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: options.timeoutMs ?? 120_000,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (data: Buffer) => (stdout += data.toString()));
    child.stderr?.on("data", (data: Buffer) => (stderr += data.toString()));
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
    child.on("error", (error) => (stderr += error.message));
    child.on("close", (code) => resolve({ code: code ?? 137, stdout, stderr, seconds: (Date.now() - begin) / 1000 }));
  });
}

/** As `run`, but an exit code other than 0 fails the test with all that was said. */
export async function succeed(...parameters: Parameters<typeof run>): Promise<Result> {
  const result = await run(...parameters);
  if (result.code !== 0) {
    throw new Error(`${parameters[0].join(" ")}: exit ${result.code}\n${result.stdout}\n${result.stderr}`);
  }
  return result;
}
