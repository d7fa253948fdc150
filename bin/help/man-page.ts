import { exitCodeMeanings } from "../output/error";
import type { Command, OptionTable } from "../commands/command";
import { spellings, takesValue } from "./command-table";
import type { CommandTable } from "./command-table";

const program = "containarium-ops";

const environment: [string, string][] = [
  ["NO_COLOR", "Present and not empty: no colours."],
  ["PULUMI_BACKEND_URL", "Where the stacks' state is. Default: what Pulumi.yaml says, else .containarium/state."],
  ["PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE", "What the stacks' secrets are encrypted with."],
  ["CONTAINARIUM_CACHE", "What was found, downloaded or built once. Default: ~/.cache/containarium."],
  [
    "CONTAINARIUM_SSH_TIMEOUT",
    "How long SSH of a container that was started may take, in seconds. Default: 60, at most 600.",
  ],
  ["USER, SUDO_USER", "Who made a container, as its record says."],
];

const files: [string, string][] = [
  ["Pulumi.STACK.yaml", "A stack's configuration. containarium:containers names its people."],
  [".containarium/", "What this project keeps on the administrator's machine: state, keys, SSH configs."],
  [
    "~/.ssh/config, ~/.ssh/known_hosts",
    "export --install adds to the first; --host finds pinned host keys in the second.",
  ],
];

/** PURE: the man page, in man(7)'s language. Everything that `--help` says of commands comes from the same table. */
export function manPage({ commands, groups, globals }: CommandTable, version: string): string {
  const lines = [
    `.TH CONTAINARIUM\\-OPS 1 "" ${quoted(`containarium ${version}`)} "User Commands"`,
    ".SH NAME",
    `${text(program)} \\- give many people their own Linux container each on a few servers, and look after them`,
    ".SH SYNOPSIS",
    `.B ${text(program)}`,
    ".I command",
    "[options]",
    ".SH DESCRIPTION",
    paragraph(
      "Data is on standard output, talk on standard error. Prompts are shown on a terminal only; --yes answers them.",
    ),
    ...Object.entries(groups).map(
      ([group, describe]) => `.PP\n.B ${text(group)}\n(a group of commands): ${text(describe)}.`,
    ),
    ".SH COMMANDS",
    ...commands.flatMap(commandLines),
    ".SH OPTIONS OF EVERY COMMAND",
    ...optionLines(globals),
    ".SH EXIT STATUS",
    ...tagged(exitCodeMeanings().map(({ code, meaning }) => [String(code), meaning])),
    ".SH ENVIRONMENT",
    ...tagged(environment),
    ".SH FILES",
    ...tagged(files),
    ".SH EXAMPLES",
    paragraph("One for each command; more stand with the commands."),
    ...commands.flatMap(({ examples }) => examples.slice(0, 1).flatMap(exampleLines)),
    ".SH SEE ALSO",
    ".BR ssh (1),",
    ".BR ssh_config (5),",
    ".BR incus (1)",
  ];
  return `${lines.join("\n")}\n`;
}

function commandLines({ usage, describe, positional, options, examples }: Command): string[] {
  return [
    `.SS ${text(usage)}`,
    `${paragraph(describe)}.`,
    ...tagged(Object.entries(positional).map(([name, { describe: what }]) => [name, what])),
    ...optionLines(options),
    ...examples.flatMap(exampleLines),
  ];
}

function optionLines(options: OptionTable): string[] {
  return tagged(
    Object.entries(options).map(([name, option]) => {
      const { describe = "" } = option;
      const value = option.default as string | boolean | undefined;
      const words = spellings(name, option).map((word) => (takesValue(option) ? `${word} VALUE` : word));
      const shown = takesValue(option) && value !== undefined ? ` [default: ${String(value)}]` : "";
      return [words.join(", "), `${describe}${shown}`];
    }),
  );
}

function tagged(rows: [string, string][]): string[] {
  return rows.flatMap(([tag, what]) => [".TP", `.B ${text(tag)}`, paragraph(what)]);
}

function exampleLines([line, what]: [string, string]): string[] {
  return [".PP", paragraph(`${what}:`), ".PP", ".RS 4", ".nf", paragraph(line.replaceAll("$0", program)), ".fi", ".RE"];
}

/** A line of text that no request begins. */
function paragraph(words: string): string {
  return text(words).replace(/^(?=[.'])/, "\\&");
}

/** Hyphens that are typed, and what groff would take for its own. */
function text(words: string): string {
  return words.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq").replaceAll("`", "\\(ga").replaceAll("~", "\\(ti").replaceAll("^", "\\(ha"); // prettier-ignore
}

function quoted(words: string): string {
  return `"${text(words).replaceAll('"', "\\(dq")}"`;
}
