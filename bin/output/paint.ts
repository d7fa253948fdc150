import type { Io, OutputStream } from "../io";

/** Colours, or none: they are for people at a terminal who did not say no (https://no-color.org). */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
}

const plain: Paint = { good: (text) => text, bad: (text) => text, warn: (text) => text, dim: (text) => text };

const colourful: Paint = {
  good: (text) => `\u001b[32m${text}\u001b[39m`,
  bad: (text) => `\u001b[31m${text}\u001b[39m`,
  warn: (text) => `\u001b[33m${text}\u001b[39m`,
  dim: (text) => `\u001b[2m${text}\u001b[22m`,
};

export function paintFor(stream: OutputStream, env: Io["env"]): Paint {
  const wanted = stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  return wanted ? colourful : plain;
}
