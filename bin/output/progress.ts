import type { Io } from "../io";
import { paintFor } from "./paint";

const titleWidth = 36;
const detailWidth = 44;

/** What a command says while it works: one line per step, on stderr, the same at a terminal and in a log. */
export interface Progress {
  /** A step that is done. */
  done(title: string, detail: string, milliseconds: number): void;
  /** A step that failed. */
  failed(title: string): void;
  /** Something worth knowing that is neither. */
  note(text: string): void;
  /** What is going on right now: shown at a terminal only, and gone with the next line. */
  doing(text: string): void;
  /** Takes away what `doing` shows. */
  clear(): void;
}

export function progressOn(io: Pick<Io, "stderr" | "env">): Progress {
  const paint = paintFor(io.stderr, io.env);
  const terminal = io.stderr.isTTY === true && io.env.TERM !== "dumb";
  let transient = false;
  const clear = () => {
    if (transient) io.stderr.write("\r\u001b[K");
    transient = false;
  };
  const line = (text: string) => {
    clear();
    io.stderr.write(`${text.trimEnd()}\n`);
  };
  return {
    done: (title, detail, milliseconds) =>
      line(
        `${paint.good("✓")} ${column(title, titleWidth)} ${column(detail, detailWidth)} ${paint.dim(seconds(milliseconds).padStart(6))}`,
      ),
    failed: (title) => line(`${paint.bad("✗")} ${title}`),
    note: (text) => line(`- ${text}`),
    doing: (text) => {
      if (!terminal) return;
      clear();
      io.stderr.write(paint.dim(text));
      transient = true;
    },
    clear,
  };
}

/** `1.1s`. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)}s`;
}

/** Pads, never cuts: a long value pushes the rest of its line to the right. */
function column(text: string, width: number): string {
  return text.padEnd(width);
}
