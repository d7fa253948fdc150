import { throwIfInterrupted } from "../wait";
import type { CreateStep } from "./container";

/** How many steps a create has. */
export const CREATE_STEPS = 7;

/** Counts, times and reports the steps of a procedure. Each step's time includes what came since the one before it. */
export class Steps {
  private index = 0;
  private since = Date.now();

  constructor(
    private readonly total: number,
    private readonly onStep: ((step: CreateStep) => void) | undefined,
    private readonly signal?: AbortSignal,
  ) {}

  /** Says that a step is done; then stops if the caller gave up, unless it was the last one. */
  done(name: CreateStep["name"], title: string, detail: string): void {
    const now = Date.now();
    this.index += 1;
    this.onStep?.({ name, index: this.index, total: this.total, title, detail, milliseconds: now - this.since });
    this.since = now;
    if (this.index < this.total) throwIfInterrupted(this.signal);
  }
}
