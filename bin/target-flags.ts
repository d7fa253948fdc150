import { shellWord } from "./output/shell-word";

/** What this machine is called when it is the server. */
export const localName = "localhost";

/** What was said about where a command acts. At most one of `stack`, `host`, `local`. */
export interface TargetOptions {
  stack?: string;
  host?: string;
  local?: boolean;
  identity?: string;
  knownHosts?: string;
}

/** The options with which the next command acts at the same place; begins with a space unless empty. */
export function flagsOf({ stack, host, local, identity, knownHosts }: TargetOptions): string {
  const words = [
    ...(stack === undefined ? [] : ["--stack", stack]),
    ...(host === undefined ? [] : ["--host", host]),
    ...(local ? ["--local"] : []),
    ...(identity === undefined ? [] : ["--identity", identity]),
    ...(knownHosts === undefined ? [] : ["--known-hosts", knownHosts]),
  ];
  return words.map((word) => ` ${shellWord(word)}`).join("");
}

/** `npx containarium-ops export alice --stack prod`: what to type next, at the same target. */
export function nextCommand(target: { flags: string }, words: string): string {
  return `npx containarium-ops ${words}${target.flags}`;
}
