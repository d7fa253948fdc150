import type { InferredOptionTypes, Options } from "yargs";

import type { ErrorKind } from "../../ops/errors";
import type { Io } from "../io";
import type { Failure } from "../output/error";
import type { Progress } from "../output/progress";
import type { Services } from "../services";
import type { Target } from "../target";

/** What every command is given. */
export interface Context {
  io: Io;
  services: Services;
  progress: Progress;
  /** The global `--yes`: take the answer yes for every question. */
  yes: boolean;
  /** Opens the place where the command acts, at the first call; closed when the command is over. */
  target(): Promise<Target>;
}

/** What a command hands back. It prints no data itself: JSON and text come from here, so they cannot differ. */
export interface Result {
  /** The `--json` document, without `schema` and `failures`; see docs/json.md. */
  json: Record<string, unknown>;
  /** The same for people. Empty: nothing to say. */
  text: string;
  /** The data itself went to stdout already: neither JSON nor text follows. */
  printed?: boolean;
  /** What went wrong for some of the users or servers. */
  failures?: Failure[];
  /** What the data itself comes to, where it tells of failures: decides the exit code, and nothing more is said. */
  verdict?: ErrorKind;
  /** How many went well; with `failures` this decides the exit code. */
  succeeded?: number;
}

/** Options as yargs takes them, by name. */
export type OptionTable = Record<string, Options>;

/** A command: how it is called, and what it does. */
export interface Command {
  /** As yargs takes it: `create <users..>`. */
  usage: string;
  describe: string;
  positional: Record<string, { describe: string; array?: boolean }>;
  options: OptionTable;
  /** Lines of `--help`: command line and what it does. */
  examples: [string, string][];
  run(args: Record<string, unknown>, context: Context): Promise<Result>;
}

/** Ties a command's handler to the types of its own options, so that none is declared twice. */
export function command<const T extends OptionTable, P extends Record<string, { describe: string; array?: boolean }>>(
  definition: Omit<Command, "options" | "positional" | "run"> & {
    options: T;
    positional: P;
    run(args: InferredOptionTypes<T> & Positional<P>, context: Context): Promise<Result>;
  },
): Command {
  return definition as unknown as Command;
}

type Positional<P extends Record<string, { array?: boolean }>> = {
  [K in keyof P]: P[K]["array"] extends true ? string[] : string;
};
