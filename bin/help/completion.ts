import { nameOf } from "../commands/name-of";
import { spellings, takesValue } from "./command-table";
import type { CommandTable } from "./command-table";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/**
 * PURE: a script with which a shell completes commands and options. It holds all of them, so that the Tab key starts
 * nothing and asks nobody.
 */
export function completionScript(shell: Shell, table: CommandTable): string {
  if (shell === "fish") return fishScript(table);
  const script = bashScript(table);
  return shell === "bash"
    ? script
    : `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${script}`;
}

function bashScript({ commands, groups, globals }: CommandTable): string {
  const everywhere = Object.entries(globals).flatMap(([name, option]) => spellings(name, option));
  const tables = [globals, ...commands.map(({ options }) => options)];
  const values = new Set(
    tables.flatMap((options) =>
      Object.entries(options)
        .filter(([, option]) => takesValue(option))
        .flatMap(([name, option]) => spellings(name, option)),
    ),
  );
  const perCommand = commands.map(({ usage, options }) => {
    const own = Object.entries(options).flatMap(([name, option]) => spellings(name, option));
    return `    ${quoted(nameOf(usage))}) options=${quoted(own.join(" "))} ;;`;
  });
  const perGroup = Object.keys(groups).map(
    (group) => `    ${quoted(group)}) words=${quoted(membersOf(group, commands).join(" "))} ;;`,
  );
  return `# bash completion of containarium-ops:  source <(containarium-ops completion bash)
_containarium_ops() {
  local current="\${COMP_WORDS[COMP_CWORD]}" word command="" words="" options="" skip="" index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    # bash makes three words of --stack=prod.
    if [ "$word" = "=" ]; then skip=1; continue; fi
    if [ -n "$skip" ]; then skip=""; continue; fi
    case "$word" in
      ${[...values].join("|")}) skip=1 ;;
      -*) ;;
      *)
        case "$command" in
          "") command="$word" ;;
          ${Object.keys(groups).join("|")}) command="$command $word" ;;
        esac
        ;;
    esac
  done
  # The value of an option: a file, as far as anybody knows.
  if [ -n "$skip" ] || [ "$current" = "=" ]; then return 0; fi
  case "$command" in
    "") words=${quoted(topWords({ commands, groups }).join(" "))} ;;
${perGroup.join("\n")}
  esac
  case "$command" in
${perCommand.join("\n")}
  esac
  case "$current" in
    -*) words="$options ${everywhere.join(" ")}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _containarium_ops containarium-ops
`;
}

function fishScript({ commands, groups, globals }: CommandTable): string {
  const lines = ["# fish completion of containarium-ops:  containarium-ops completion fish | source"];
  const add = (condition: string, rest: string) =>
    lines.push(`complete -c containarium-ops${condition && ` -n ${quoted(condition)}`} ${rest}`);
  const tops = topWords({ commands, groups });
  const noCommand = `not __fish_seen_subcommand_from ${tops.join(" ")}`;
  for (const { usage, describe } of commands) {
    if (!nameOf(usage).includes(" ")) add(noCommand, `-f -a ${quoted(nameOf(usage))} -d ${quoted(describe)}`);
  }
  for (const [group, describe] of Object.entries(groups)) {
    const members = membersOf(group, commands);
    add(noCommand, `-f -a ${quoted(group)} -d ${quoted(describe)}`);
    add(
      `__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${members.join(" ")}`,
      `-f -a ${quoted(members.join(" "))}`,
    );
  }
  for (const { usage, options } of commands) {
    const words = nameOf(usage).split(" ");
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
    // `keys list` is not `list`.
    if (words.length === 1) seen.push(`not __fish_seen_subcommand_from ${Object.keys(groups).join(" ")}`);
    for (const line of fishOptions(options)) add(seen.join("; and "), line);
  }
  for (const line of fishOptions(globals)) add("", line);
  return `${lines.join("\n")}\n`;
}

function fishOptions(options: CommandTable["globals"]): string[] {
  return Object.entries(options).map(([name, option]) => {
    const words = spellings(name, option).map((word) =>
      word.startsWith("--") ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`,
    );
    return [...words, ...(takesValue(option) ? ["-r"] : []), `-d ${quoted(option.describe ?? "")}`].join(" ");
  });
}

/** What may stand first: commands of one word, and groups. */
function topWords({ commands, groups }: Pick<CommandTable, "commands" | "groups">): string[] {
  return [...commands.map(({ usage }) => nameOf(usage)).filter((name) => !name.includes(" ")), ...Object.keys(groups)];
}

function membersOf(group: string, commands: CommandTable["commands"]): string[] {
  const names = commands.map(({ usage }) => nameOf(usage));
  return names.filter((name) => name.startsWith(`${group} `)).map((name) => name.slice(group.length + 1));
}

/** For bash and for fish. Our own texts hold apostrophes. */
function quoted(text: string): string {
  return `"${text.replace(/(["\\$])/g, "\\$1").replaceAll("`", "'")}"`;
}
