import fs from "node:fs";
import path from "node:path";
import yargs from "yargs";
import type { Argv } from "yargs";

import { InvalidInputError } from "../ops/errors";
import { commands } from "./commands";
import type { Command } from "./commands/command";
import type { TargetOptions } from "./target";

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

function withGlobalOptions(parser: Argv): Argv {
  return parser
    .option("stack", { type: "string", requiresArg: true, group: targetGroup, describe: "a stack of this project" })
    .option("host", { type: "string", requiresArg: true, group: targetGroup, describe: "one server, user@address[:port]" })
    .option("local", { type: "boolean", default: undefined, group: targetGroup, describe: "this machine is the server" })
    .conflicts("stack", ["host", "local"])
    .conflicts("host", "local")
    .option("identity", { type: "string", requiresArg: true, group: targetGroup, describe: "private key of the administrator" })
    .option("known-hosts", {
      type: "string",
      requiresArg: true,
      group: targetGroup,
      describe: "file that pins the server's host key, for --host",
    })
    .option("json", { type: "boolean", default: false, group: generalGroup, describe: "JSON on stdout (docs/json.md)" })
    .option("yes", { type: "boolean", alias: "y", default: false, group: generalGroup, describe: "answer yes to every question" })
    .option("verbose", { type: "boolean", alias: "v", default: false, group: generalGroup, describe: "log to stderr what happens" });
}

/**
 * Reads a command line.
 * @throws InvalidInputError for anything that is not one; `help` is where to read on
 */
export async function parseCommandLine(argv: string[]): Promise<Request> {
  let chosen: { command: Command; args: Record<string, unknown> } | undefined;
  let parser = withGlobalOptions(yargs())
    .scriptName("containarium-ops")
    .usage("$0 <command> [options]\n\nGives many people their own Linux container each on a few servers, and looks after them.")
    .locale("en")
    .version(readVersion())
    .alias("help", "h")
    .group(["help", "version"], generalGroup)
    .parserConfiguration({ "duplicate-arguments-array": true, "strip-aliased": true })
    .strict()
    .recommendCommands()
    .exitProcess(false)
    .wrap(110)
    .demandCommand(1, "no command given")
    .check(refuseRepeated)
    .fail((message: string | null, error: Error | undefined) => {
      if (error) throw error;
      throw usageError(message ?? "wrong usage", argv);
    });
  for (const command of commands) {
    parser = parser.command(command.usage, command.describe, (sub) => withCommandOptions(sub, command), (args) => {
      chosen = { command, args };
    });
  }
  const shown = await new Promise<string>((resolve, reject) => {
    Promise.resolve(parser.parseAsync(argv, {}, (error: Error | undefined, _args: unknown, output: string) => {
      if (error) reject(error);
      else resolve(output);
    })).catch(reject);
  });
  if (shown !== "") return { kind: "show", text: shown };
  if (!chosen) throw usageError("no command given", argv);
  return { kind: "run", ...chosen, global: globalOptions(chosen.args) };
}

function withCommandOptions(parser: Argv, { usage, positional, options, examples }: Command): Argv {
  for (const [name, { describe, array }] of Object.entries(positional)) {
    parser.positional(name, { type: "string", describe, ...(array && { array: true }) });
  }
  return parser.usage(`$0 ${usage}`).options(options).example(examples);
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

/** yargs collects an option that comes twice in a list; only options that are lists may. */
function refuseRepeated(args: Record<string, unknown>): true {
  const lists = new Set(["_", "ssh-key", "sshKey", "users"]);
  for (const [name, value] of Object.entries(args)) {
    if (Array.isArray(value) && !lists.has(name)) {
      throw new InvalidInputError(`--${name} is given ${value.length} times`, { remedy: "Give it once." });
    }
  }
  return true;
}

/** One line and where to read on, in place of yargs' page of usage. */
function usageError(message: string, argv: string[]): InvalidInputError {
  const named = commands.map(({ usage }) => usage.split(" ")[0] ?? "").find((name) => argv.includes(name));
  const [first = ""] = message.split("\n");
  return new InvalidInputError(plainWords(first), {
    remedy: [
      ...message.split("\n").slice(1).filter((line) => line.startsWith("Did you mean")),
      `npx containarium-ops ${named ? `${named} ` : ""}--help`,
    ].join("\n"),
  });
}

/** yargs' messages in our words. */
function plainWords(message: string): string {
  const unknown = /^Unknown (arguments?|commands?): (.+)$/.exec(message);
  if (unknown) {
    const names = [...new Set(unknown[2]?.split(", "))];
    const what = unknown[1]?.startsWith("command") ? "command" : "option or argument";
    return `unknown ${what}: ${names.join(", ")}`;
  }
  const missing = /^Not enough non-option arguments/.exec(message);
  if (missing) return "a user name is missing";
  const exclusive = /^Arguments (\S+) and (\S+) are mutually exclusive$/.exec(message);
  if (exclusive) return `--${exclusive[1]} and --${exclusive[2]} exclude each other`;
  const value = /^Not enough arguments following: (\S+)$/.exec(message);
  if (value) return `--${value[1]} needs a value`;
  const required = /^Missing required arguments?: (.+)$/.exec(message);
  if (required) return `missing: ${required[1]}`;
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
