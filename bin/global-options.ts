import type { OptionTable } from "./commands/command";

export const targetGroup = "Where it acts (default: the project's current stack):";
export const generalGroup = "General:";

/** The options that every command has. */
export const globalOptionTable = {
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

/** yargs' own, in its words. */
export const helpOptionTable = {
  help: { type: "boolean", alias: "h", group: generalGroup, describe: "Show help" },
  version: { type: "boolean", group: generalGroup, describe: "Show version number" },
} as const satisfies OptionTable;
