import fs from "node:fs/promises";
import path from "node:path";

import { CreationGate } from "../../ops/containers/creation-gate";
import { readIfExists } from "../replace-file";
import { editConfig } from "./config-text";
import type { DesiredChange } from "./config-text";
import { changeDesired } from "./desired";
import type { PulumiRun } from "./pulumi";
import { updateStack } from "./record";

/** A recording that was begun before its container was complete. One of the two ends it. */
export interface AheadRecording {
  /**
   * The container is complete: the config names it, and the engine goes on.
   * @returns how long the engine had waited for it, in milliseconds; negative where it was the other way round
   */
  finish(): Promise<number | undefined>;
  /** There is no such container: nothing was recorded, and the stack is free again. */
  abandon(): Promise<void>;
}

/**
 * Starts the engine for people who are being made at this moment: until it asks for the first of them, seconds pass. It
 * reads a copy of the config in which they stand already; the real one names them when they are there, so that whoever is
 * killed in between leaves no promise behind.
 */
export async function recordAhead(
  { stack, users, ...run }: PulumiRun & { stack: string; users: string[] },
  configFile: string,
  change: DesiredChange,
): Promise<AheadRecording> {
  const wanted = editConfig((await readIfExists(configFile)) ?? "", change, configFile);
  const gate = await CreationGate.make();
  const copy = path.join(gate.folder, path.basename(configFile));
  try {
    await fs.writeFile(copy, wanted, { mode: 0o600 });
  } catch (error) {
    gate.remove();
    throw error;
  }
  const givenUp = new AbortController();
  const env = { ...run.env, ...gate.environment };
  const update = updateStack({ ...run, env, stack, users, configFile: copy, signal: givenUp.signal });
  // Looked at by whoever ends it.
  update.catch(() => undefined);
  // Never before the engine has ended: one that does not find its config makes a new one, with a new key for the state.
  const end = async () => {
    gate.refuse();
    await update.catch(() => undefined);
    gate.remove();
  };
  return {
    finish: async () => {
      try {
        await changeDesired(configFile, change);
        gate.open();
        await update;
        return gate.waited();
      } finally {
        // Whoever does it again must not find the stack held by this one.
        await end();
      }
    },
    abandon: async () => {
      gate.refuse();
      // At a terminal Ctrl-C has reached the engine by itself, and a second one would make it drop its state.
      if (run.signal?.aborted !== true) givenUp.abort();
      await end();
    },
  };
}
