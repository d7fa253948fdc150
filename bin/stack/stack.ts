import path from "node:path";

import { ContainariumError } from "../../ops/errors";
import type { Inventory } from "../../ops/fleet/inventory";
import { changeDesired, readDesired } from "./desired";
import type { DesiredChange, DesiredContainer } from "./config-text";
import { engineEnvironmentFor } from "./engine";
import { readInventory } from "./inventory";
import { fileBackend, waitUntilUnlocked } from "./lock";
import { findProject } from "./project";
import { updateStack } from "./record";
import { recordAhead } from "./record-ahead";
import type { AheadRecording } from "./record-ahead";

export interface StackOptions {
  /** Undefined: the selected stack. */
  stack: string | undefined;
  /** Where the command was started. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  home: string;
  signal?: AbortSignal;
  /** A line for whoever is waiting. */
  onWait(text: string): void;
}

/** A stack as the CLI sees it: where its servers are, whom its config names, and how to tell it of a change. */
export interface Stack {
  name: string;
  /** The Pulumi project's folder; `identityFile`s of the inventory are relative to it. */
  root: string;
  inventory: Inventory;
  /** What heals a recording that failed. */
  updateCommand: string;
  /** @throws ConflictError when somebody holds the stack for longer than `timeoutMs`. */
  waitUntilUnlocked(timeoutMs: number): Promise<void>;
  desired(): Promise<DesiredContainer[]>;
  /** Changes the config, then updates the state of the people concerned. Waits for others up to `timeoutMs`. */
  record(change: DesiredChange, timeoutMs: number): Promise<void>;
  /** Begins that for people who are being made at this moment. */
  recordAhead(change: Required<Pick<DesiredChange, "put">>, timeoutMs: number): Promise<AheadRecording>;
}

export async function openStack(options: StackOptions): Promise<Stack> {
  const { cwd, home, signal, onWait } = options;
  const project = findProject(cwd);
  const runFor = (stack: string | undefined) => ({
    project,
    env: engineEnvironmentFor(project, stack, options.env),
    signal,
  });
  const { inventory, run } = await readInventory(runFor, options.stack);
  const { env } = run;
  const name = options.stack ?? inventory.stack;
  const configFile = path.join(project.root, `Pulumi.${name.split("/").at(-1)}.yaml`);
  const backend = fileBackend(env.PULUMI_BACKEND_URL, project, home);
  const unlocked = async (timeoutMs: number) => {
    if (backend) await waitUntilUnlocked(backend, project, inventory.stack, { timeoutMs, signal, onWait });
  };
  const record = async (change: DesiredChange, timeoutMs: number) => {
    await changeDesired(configFile, change);
    const users = [...(change.put ?? []), ...(change.edit ?? [])].map(({ user }) => user).concat(change.remove ?? []);
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      await unlocked(Math.max(0, deadline - Date.now()));
      try {
        // No signal: at a terminal Ctrl-C reaches the engine by itself, and a second one would make it drop its state.
        return await updateStack({ project, stack: name, env, users });
      } catch (error) {
        // Somebody took the stack between our look and the engine's.
        const lost = error instanceof ContainariumError && error.kind === "conflict";
        if (!lost || !backend || Date.now() >= deadline) throw error;
      }
    }
  };
  return {
    name,
    root: project.root,
    inventory,
    updateCommand: `${project.pulumi} up --stack ${name}`,
    waitUntilUnlocked: unlocked,
    desired: () => readDesired(configFile),
    record,
    recordAhead: async (change, timeoutMs) => {
      const users = change.put.map(({ user }) => user);
      const run = { project, stack: name, env, users, signal };
      const ahead = await recordAhead(run, configFile, change).catch((error: unknown) => {
        // Bad input is somebody's to mend. Else, with a full disk for example, it is done when the container is there.
        if (error instanceof ContainariumError) throw error;
      });
      if (!ahead)
        return { finish: () => record(change, timeoutMs).then(() => undefined), abandon: async () => undefined };
      return {
        ...ahead,
        finish: () =>
          ahead.finish().catch((error: unknown) => {
            // Whoever pressed Ctrl-C has not asked for another run.
            if (signal?.aborted) throw error;
            // Whatever went wrong with the early one: it is no worse than having begun now.
            return record(change, timeoutMs).then(() => undefined);
          }),
      };
    },
  };
}
