/** `create`, `keys add`: the words of a command's usage before its first argument. */
export function nameOf(usage: string): string {
  return usage.replace(/ ?[<[].*$/, "");
}
