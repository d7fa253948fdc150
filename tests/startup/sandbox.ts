import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { HelperAnswer } from "./answer";

export const HELPER = path.resolve(__dirname, "../../startup/containarium-host");

const DRIVER = path.join(__dirname, "sandbox.py");

export interface Answer extends HelperAnswer {
  status: number | null;
  stderr: string;
}

export interface ProgramFailure {
  program: string;
  status: number;
  stderr: string;
  times: number;
}

const PASSWD = ["root:x:0:0:root:/root:/bin/bash", "boss:x:1000:1000::/home/boss:/bin/bash"];

/** A folder that stands for a server: the host helper runs in it without root and changes nothing outside. */
export class Sandbox {
  readonly root = mkdtempSync(path.join(tmpdir(), "host-"));

  constructor() {
    for (const folder of ["etc/containarium", "srv/containarium/state", "run/containarium", "var/lib/incus"]) {
      mkdirSync(path.join(this.root, folder), { recursive: true });
    }
    this.write("etc/passwd", PASSWD.map((line) => `${line}\n`).join(""));
    this.write("etc/shadow", "root:*:1::::::\nboss:*:1::::::\n");
    this.write("etc/group", "root:x:0:\ncontainarium-jump:x:996:\n");
    this.write(
      "etc/containarium/server.json",
      JSON.stringify({ schema: 1, name: "jump-1", admin: { user: "boss" }, containerSubnet: "10.0.3.0/24" }),
    );
  }

  write(name: string, text: string): void {
    const file = path.join(this.root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  read(name: string): string | undefined {
    const file = path.join(this.root, name);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  }

  failWith(...failures: ProgramFailure[]): void {
    this.write("failures.json", JSON.stringify(failures));
  }

  /** What was started and slept, in order. */
  calls(): unknown[][] {
    return (this.read("calls") ?? "")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as unknown[]);
  }

  /** Every file below the folder with its content, except the lock. */
  snapshot(): Record<string, string> {
    const files: Record<string, string> = {};
    for (const entry of readdirSync(this.root, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      if (entry.isFile() && !entry.name.endsWith(".lock"))
        files[path.relative(this.root, file)] = readFileSync(file, "utf8");
    }
    return files;
  }

  request(request: unknown): Answer {
    return this.send(JSON.stringify(request));
  }

  /** The answers to several requests, each on its own; in one process, as starting one costs 0.1 s. */
  sendEach(inputs: string[]): Answer[] {
    const run = spawnSync("python3", ["-I", DRIVER, HELPER, this.root, "--each"], {
      input: JSON.stringify(inputs),
      encoding: "utf8",
      maxBuffer: 1e8,
    });
    const lines = run.stdout.split("\n").slice(0, -1);
    return lines.map((line) => ({ status: run.status, stderr: run.stderr, ...(JSON.parse(line) as HelperAnswer) }));
  }

  send(input: string | Buffer): Answer {
    const run = spawnSync("python3", ["-I", DRIVER, HELPER, this.root], { input, encoding: "utf8", env: process.env });
    if (run.stdout.split("\n").length !== 2) throw new Error(`not one line: ${run.stdout}\n${run.stderr}`);
    return { status: run.status, stderr: run.stderr, ...(JSON.parse(run.stdout) as HelperAnswer) };
  }

  /** Incus answers meanwhile, and has these. */
  async withIncus(instances: unknown[], body: () => void): Promise<void> {
    this.write("instances.json", JSON.stringify(instances));
    const script = path.join(__dirname, "machine/fake_incus.py");
    const incus = spawn("python3", [script, `${this.root}/var/lib/incus/unix.socket`, `${this.root}/instances.json`]);
    try {
      await once(incus.stdout, "data");
      body();
    } finally {
      incus.kill();
    }
  }

  /** A helper that stays: what is written to it are numbered requests. */
  serve(): ChildProcessWithoutNullStreams {
    return spawn("python3", ["-I", DRIVER, HELPER, this.root, "serve"]);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
