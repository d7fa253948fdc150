import type { Command, OptionTable } from "../commands/command";

/** What help, completion and the man page are made from. */
export interface CommandTable {
  commands: readonly Command[];
  /** Commands of two words, by the first. */
  groups: Readonly<Record<string, string>>;
  /** Options of every command. */
  globals: OptionTable;
}

/** How an option is typed, the long form first: `--yes`, `-y`; one that is on by default is said to be off. */
export function spellings(name: string, { alias, default: value }: OptionTable[string]): string[] {
  const aliases = [alias ?? []].flat();
  const all = [...(value === true ? [`no-${name}`] : []), name, ...aliases];
  return all.map((word) => (word.length === 1 ? `-${word}` : `--${word}`));
}

export function takesValue({ type }: OptionTable[string]): boolean {
  return type !== "boolean";
}
