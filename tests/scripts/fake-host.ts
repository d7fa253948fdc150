import type { Host } from "../../scripts/host/host";
import type { RunResult } from "../../scripts/run";

type Answer = Partial<RunResult> | ((command: string[], input?: string) => Partial<RunResult>);

export interface FakeHost extends Host {
  /** Every command that was run, words joined by spaces. */
  commands: string[];
  /** What was written to stdin, by command. */
  inputs: Map<string, string>;
  files: Map<string, string>;
}

/**
 * A host whose files and programs are tables. A program is found by the beginning of its command line; one that nobody
 * foresaw fails the test.
 */
export function fakeHost({
  files = {},
  answers = {},
  uid = 0,
}: {
  files?: Record<string, string>;
  answers?: Record<string, Answer>;
  uid?: number;
} = {}): FakeHost {
  const content = new Map(Object.entries(files));
  const host: FakeHost = {
    commands: [],
    inputs: new Map(),
    files: content,
    uid,
    read: (file) => content.get(file),
    exists: (file) => content.has(file),
    run: (command, options) => {
      const line = command.join(" ");
      host.commands.push(line);
      if (options?.input !== undefined) host.inputs.set(line, options.input);
      const prefix = Object.keys(answers)
        .filter((key) => line.startsWith(key))
        .sort((a, b) => b.length - a.length)[0];
      if (prefix === undefined) throw new Error(`nobody foresaw the command: ${line}`);
      const answer = answers[prefix];
      const result = typeof answer === "function" ? answer(command, options?.input) : answer;
      return Promise.resolve({ code: 0, stdout: "", stderr: "", ...result });
    },
  };
  return host;
}
