import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** What a command line answers: the first pattern (of bash's `case`) that fits it. Without one: nothing, success. */
export interface Answer {
  to: string;
  /** ROOT stands for the folder. */
  says?: string;
  complains?: string;
  exit?: number;
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * A folder that stands for a server's `/` (CONTAINARIUM_ROOT), and commands that stand for its own: they write down how
 * they were called and answer what the test says. What is mounted is what `mount` was told.
 */
export class StandIns {
  readonly root = mkdtempSync(path.join(tmpdir(), "stand-ins-"));

  constructor(
    commands: string[],
    private readonly answers: Answer[],
  ) {
    mkdirSync(path.join(this.root, "bin"));
    mkdirSync(path.join(this.root, "mounted"));
    writeFileSync(path.join(this.root, "stand-in"), this.#script(), { mode: 0o755 });
    for (const command of commands) symlinkSync("../stand-in", path.join(this.root, "bin", command));
  }

  write(name: string, text: string): void {
    mkdirSync(path.dirname(path.join(this.root, name)), { recursive: true });
    writeFileSync(path.join(this.root, name), text);
  }

  read(name: string): string | undefined {
    const file = path.join(this.root, name);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  }

  run(program: string): { code: number | null; stderr: string; calls: string[] } {
    rmSync(path.join(this.root, "calls"), { force: true });
    const env = {
      ...process.env,
      PATH: `${path.join(this.root, "bin")}:${process.env["PATH"]}`,
      CONTAINARIUM_ROOT: this.root,
      CONTAINARIUM_PATIENCE: "1",
    };
    const { status, stderr } = spawnSync(path.resolve(__dirname, "../../startup", program), { env, encoding: "utf8" });
    const calls = (this.read("calls") ?? "").replaceAll(this.root, "").split("\n").filter(Boolean);
    return { code: status, stderr: stderr.replaceAll(this.root, ""), calls };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #script(): string {
    const answers = this.answers.map(({ to, says = "", complains = "", exit = 0 }) => {
      const lines = [
        says && `sed "s|ROOT|$root|" <<< ${quote(says)}`,
        complains && `echo ${quote(complains)} >&2`,
        `exit ${exit}`,
      ];
      return `  ${to}) ${lines.filter(Boolean).join("; ")} ;;`;
    });
    return [
      "#!/bin/bash",
      'root=$CONTAINARIUM_ROOT line="${0##*/} $*"',
      'echo "$line" >> "$root/calls"',
      'mounted=$root/mounted/$(echo "${@: -1}" | tr / _)',
      'case "${line//$root/}" in',
      ...answers,
      '  mount\\ *) touch "$mounted" ;;',
      '  mountpoint\\ *) [ -e "$mounted" ] ;;',
      "esac",
      "",
    ].join("\n");
  }
}
