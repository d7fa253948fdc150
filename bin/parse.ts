import fs from "node:fs";
import path from "node:path";
import yargs from "yargs";
import type { Argv } from "yargs";

import { InvalidInputError } from "../ops/errors";
import { commands, groups } from "./commands";
import type { Command, OptionTable } from "./commands/command";
import type { TargetOptions } from "./target-flags";

/** The options that every command has. */
export interface GlobalOptions extends TargetOptions {
  json: boolean;
  yes: boolean;
  verbose: boolean;
}

/** What a command line asks for: a command to run, or a text to show (`--help`, `--version`). */
export type Request =
  | { kind: "run"; command: Command; args: Record<string, unknown>; global: GlobalOptions }
  | { kind: "show"; text: string };

const targetGroup = "Where it acts (default: the project's current stack):";
const generalGroup = "General:";

const globalOptionTable = {
  stack: { type: "string", requiresArg: true, group: targetGroup, describe: "a stack of this project" },
  host: { type: "string", requiresArg: true, group: targetGroup, describe: "one server, user@address[:port]" },
  local: { type: "boolean", default: undefined, group: targetGroup, describe: "this machine is the server" },
  identity: { type: "string", requiresArg: true, group: targetGroup, describe: "private key of the administrator" },
  "known-hosts": {
    type: "string",
    requiresArg: true,
    group: targetGroup,
    describe: "file that pins the server's host key, for --host",
  },
  json: { type: "boolean", default: false, group: generalGroup, describe: "JSON on stdout (docs/json.md)" },
  yes: { type: "boolean", alias: "y", default: false, group: generalGroup, describe: "answer yes to every question" },
  verbose: { type: "boolean", alias: "v", default: false, group: generalGroup, describe: "log to stderr what happens" },
} as const satisfies OptionTable;

/** Given to every command, and to the program itself: `--json list` is `list --json`. */
function withGlobalOptions(parser: Argv): Argv {
  // Not yargs' own "global", which would show them before a command's own options.
  for (const [name, option] of Object.entries(globalOptionTable)) parser.option(name, { ...option, global: false });
  return parser
    .conflicts("stack", ["host", "local"])
    .conflicts("host", "local")
    .group(["help", "version"], generalGroup);
}

/**
 * Reads a command line.
 * @throws InvalidInputError for anything that is not one; `help` is where to read on
 */
export async function parseCommandLine(argv: string[]): Promise<Request> {
  let chosen: { command: Command; args: Record<string, unknown> } | undefined;
  let parser = withGlobalOptions(yargs())
    .scriptName("containarium-ops")
    .usage(
      "$0 <command> [options]\n\nGives many people their own Linux container each on a few servers, and looks after them.",
    )
    .locale("en")
    .version(readVersion())
    .alias("help", "h")
    .parserConfiguration({ "duplicate-arguments-array": true, "strip-aliased": true })
    .strict()
    .strictCommands()
    .recommendCommands()
    .exitProcess(false)
    .wrap(110)
    .demandCommand(1, "no command given")
    .check(refuseRepeated)
    .fail((message: string | null, error: Error | undefined) => {
      if (error && error.name !== "YError") throw error;
      throw usageError(error?.message ?? message ?? "wrong usage", argv);
    });
  const add = (to: Argv, command: Command, usage: string) =>
    to.command(
      usage,
      command.describe,
      (sub) => withCommandOptions(sub, command),
      (args) => {
        chosen = { command, args: withDash(args, command, argv) };
      },
    );
  for (const command of commands) if (!isInGroup(command)) parser = add(parser, command, command.usage);
  for (const [group, describe] of Object.entries(groups)) {
    const members = commands.filter((command) => isInGroup(command) && nameOf(command.usage).startsWith(`${group} `));
    parser = parser.command(group, describe, (sub) =>
      members
        .reduce((to, command) => add(to, command, command.usage.slice(group.length + 1)), withGlobalOptions(sub))
        .usage(`$0 ${group} <command>`)
        .demandCommand(1, `${group}: no command given`),
    );
  }
  const shown = await new Promise<string>((resolve, reject) => {
    Promise.resolve(
      parser.parseAsync(joinDash(argv), {}, (error: Error | undefined, _args: unknown, output: string) => {
        if (error) reject(error);
        else resolve(output);
      }),
    ).catch(reject);
  });
  if (shown !== "") return { kind: "show", text: shown };
  if (!chosen) throw usageError("no command given", argv);
  return { kind: "run", ...chosen, global: globalOptions(chosen.args) };
}

function withCommandOptions(parser: Argv, { usage, positional, options, examples }: Command): Argv {
  const ownGroup = `Options of ${nameOf(usage)}:`;
  for (const [name, { describe, array }] of Object.entries(positional)) {
    parser.positional(name, { type: "string", describe, ...(array && { array: true }) });
  }
  return withGlobalOptions(parser.usage(`$0 ${usage}`).options(options).group(Object.keys(options), ownGroup)).example(
    examples,
  );
}

function globalOptions(args: Record<string, unknown>): GlobalOptions {
  return {
    stack: args.stack as string | undefined,
    host: args.host as string | undefined,
    local: args.local as boolean | undefined,
    identity: args.identity as string | undefined,
    knownHosts: args["known-hosts"] as string | undefined,
    json: args.json === true,
    yes: args.yes === true,
    verbose: args.verbose === true,
  };
}

/** Options whose value may be `-`: standard input or output. */
const takeDash = new Set(["--ssh-key", "--output", "-o"]);

/** yargs takes a lone `-` for an option and not for a value, unless they are one word. */
function joinDash(argv: string[]): string[] {
  return argv.flatMap((word, index) => {
    if (takeDash.has(word) && argv[index + 1] === "-") return [`${word}=-`];
    return word === "-" && takeDash.has(argv[index - 1] ?? "") ? [] : [word];
  });
}

/** And of a positional `-` it makes an empty text. */
function withDash(args: Record<string, unknown>, { positional }: Command, argv: string[]): Record<string, unknown> {
  const emptied = Object.keys(positional).filter((name) => args[name] === "" && argv.includes("-"));
  return { ...args, ...Object.fromEntries(emptied.map((name) => [name, "-"])) };
}

/** yargs collects an option that comes twice in a list; only options that are lists may. */
function refuseRepeated(args: Record<string, unknown>): true {
  const lists = new Set(["_", "ssh-key", "sshKey", "users", "key"]);
  for (const [name, value] of Object.entries(args)) {
    if (Array.isArray(value) && !lists.has(name)) {
      throw new InvalidInputError(`--${name} is given ${value.length} times`, { remedy: "Give it once." });
    }
  }
  return true;
}

/** `create`, `keys add`: the words before the first argument. */
function nameOf(usage: string): string {
  return usage.replace(/ ?[<[].*$/, "");
}

function isInGroup({ usage }: Command): boolean {
  return nameOf(usage).includes(" ");
}

/** One line and where to read on, in place of yargs' page of usage. */
function usageError(message: string, argv: string[]): InvalidInputError {
  const words = argv.filter((word) => !word.startsWith("-"));
  const names = [...commands.map(({ usage }) => nameOf(usage)), ...Object.keys(groups)];
  const named = [words.slice(0, 2).join(" "), ...words].find((word) => names.includes(word));
  const [first = "", ...rest] = message.split("\n").filter((line) => line !== "");
  const suggestion = /^Did you mean/.test(first);
  const isGroup = named !== undefined && named in groups;
  const cause = suggestion ? `unknown command: ${words.slice(0, isGroup ? 2 : 1).join(" ")}` : plainWords(first);
  return new InvalidInputError(named && !isGroup ? cause.replace(/^unknown command/, "unexpected argument") : cause, {
    remedy: [...(suggestion ? [first] : rest), `npx containarium-ops ${named ? `${named} ` : ""}--help`].join("\n"),
  });
}

/** yargs' messages, by their first line, in our words. */
const wording: [RegExp, (...groups: string[]) => string][] = [
  [/^Unknown commands?: (.+)$/, (names) => `unknown command: ${names}`],
  [
    /^Unknown arguments?: (.+)$/,
    (names) => `unknown option: ${[...new Set(names.split(", "))].map(dashed).join(", ")}`,
  ],
  [/^Not enough non-option arguments/, () => "a user name is missing"],
  [/^Arguments (\S+) and (\S+) are mutually exclusive$/, (one, other) => `--${one} and --${other} exclude each other`],
  [/^Not enough arguments following: (\S+)$/, (name) => `--${name} needs a value`],
  [/^Missing required arguments?: (.+)$/, (names) => `missing: --${names.replaceAll(", ", ", --")}`],
];

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

function plainWords(message: string): string {
  for (const [pattern, words] of wording) {
    const match = pattern.exec(message);
    if (match) return words(...match.slice(1));
  }
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function readVersion(): string {
  // The compiled file is dist/bin/parse.js, the source bin/parse.ts.
  for (const folder of [path.resolve(__dirname, ".."), path.resolve(__dirname, "../..")]) {
    const file = path.join(folder, "package.json");
    if (fs.existsSync(file)) return (JSON.parse(fs.readFileSync(file, "utf8")) as { version: string }).version;
  }
  return "unknown";
}
