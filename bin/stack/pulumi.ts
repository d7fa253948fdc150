import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { ConflictError, ContainariumError, NotFoundError, OperationError } from "../../ops/errors";
import type { Project } from "./project";

export interface PulumiRun {
  project: Project;
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

/**
 * Runs the engine and returns what it printed on stdout.
 * @throws OperationError and its kin; see `translate`.
 */
export async function runPulumi(args: string[], { project, env, signal }: PulumiRun): Promise<string> {
  const [output, errors] = [namelessFile(), namelessFile()];
  try {
    const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: project.root,
      env,
      // No pipes: if this process is killed, the engine would die of its next word and leave the stack locked.
      stdio: ["ignore", output, errors],
      signal,
      // What makes it end in order, and let go of the stack.
      killSignal: "SIGINT",
    });
    const code = await exitCodeOf(child);
    const [stdout, stderr] = [contentOf(output), contentOf(errors)];
    if (code !== 0) throw translate(`${stderr}\n${stdout}`, project);
    return stdout;
  } finally {
    fs.closeSync(output);
    fs.closeSync(errors);
  }
}

/** Waits for its end, also when it was told to end. */
async function exitCodeOf(child: ChildProcess): Promise<number | null> {
  let failure: Error | undefined;
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      failure = error.name === "AbortError" ? error : cannotRun(error);
      // There is no process whose end would come.
      if (child.pid === undefined) reject(failure);
    });
    child.once("close", (code) => (failure === undefined ? resolve(code) : reject(failure)));
  });
}

function cannotRun(cause: Error): OperationError {
  return new OperationError(`cannot run the Pulumi engine: ${cause.message}`, { remedy: "npm run quickstart", cause });
}

/** Open for as long as somebody has it open, and found by nobody else. */
function namelessFile(): number {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "containarium-engine-"));
  const file = fs.openSync(path.join(folder, "output"), "w+", 0o600);
  fs.rmSync(folder, { recursive: true });
  return file;
}

/** From its beginning: the engine and we share one position in it. */
function contentOf(file: number): string {
  const content = Buffer.alloc(fs.fstatSync(file).size);
  fs.readSync(file, content, 0, content.length, 0);
  return content.toString("utf8");
}

/** No stack was selected, or nobody ever logged in to a backend that could hold one. */
const noStackSelected = /no stack selected|PULUMI_ACCESS_TOKEN must be set/;

/**
 * The engine's own words in our terms. Foreign text is read here and nowhere else; what is not known is shown as the
 * engine said it, first `error:` line only.
 */
export function translate(output: string, project: Pick<Project, "pulumi">, cause?: unknown): ContainariumError {
  const first = firstError(output);
  const stack = /no stack named '([^']+)' found/.exec(output)?.[1];
  if (stack) {
    const remedy = stack === "local" ? "npm run quickstart" : `${project.pulumi} stack ls`;
    return new NotFoundError(`no stack named ${stack}`, { remedy, cause });
  }
  if (noStackSelected.test(output)) {
    return new NotFoundError("no stack is selected", {
      remedy: `Name one with --stack, or\n${project.pulumi} stack select`,
      cause,
    });
  }
  if (/does not have output property/.test(output)) {
    return new NotFoundError("the stack has no inventory: it was never brought up", {
      remedy: `${project.pulumi} up`,
      cause,
    });
  }
  if (/currently locked by|Conflict: Another update is currently in progress/.test(output)) {
    return new ConflictError("another Pulumi operation holds the stack", {
      remedy: `Wait for it to end, or, if nothing runs any more,\n${project.pulumi} cancel`,
      cause,
    });
  }
  if (/incorrect passphrase|passphrase must be set/.test(output)) {
    return new OperationError("the stack's passphrase is wrong or missing", {
      remedy: "Set PULUMI_CONFIG_PASSPHRASE_FILE (the local stack's is .containarium/passphrase).",
      cause,
    });
  }
  // Its words go through a file: on a full disk none of them arrive.
  const remedy = output.trim() === "" ? `Is there space left?\ndf -h ${os.tmpdir()}` : undefined;
  return new OperationError(`pulumi: ${first}`, { remedy, cause });
}

/** The first line that says what went wrong, without the engine's own prefixes. */
export function firstError(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  const at = lines.findIndex((line) => /(?:^|\s)error:\s*./.test(line));
  const marked = lines[at]?.replace(/^.*?(?:^|\s)error:\s*/, "");
  // A list, of which it says the length first.
  if (marked !== undefined && /^\d+ errors? occurred:$/.test(marked) && lines[at + 1]?.startsWith("* ")) {
    return lines[at + 1]!.slice(2);
  }
  return marked ?? lines.find((line) => line !== "") ?? "failed without a word";
}
