import fs from "node:fs";
import path from "node:path";

import { ContainariumError, OperationError } from "../../ops/errors";
import { inventorySchema } from "../../ops/fleet/inventory";
import type { Inventory } from "../../ops/fleet/inventory";
import { runPulumi } from "./pulumi";
import type { PulumiRun } from "./pulumi";

/** Which stack is meant when nobody says: the selected one; failing that the local one, if the project has it. */
const fallbackStack = "local";

/** The engine's environment depends on the stack: the local one keeps its state in the project. */
export type RunFor = (stack: string | undefined) => PulumiRun;

/**
 * Reads the inventory from the stack's outputs. One run of the engine in the usual case.
 * @param stack undefined: the selected stack
 * @returns also how to run the engine for the stack that it was
 */
export async function readInventory(
  runFor: RunFor,
  stack: string | undefined,
): Promise<{ inventory: Inventory; run: PulumiRun }> {
  const run = runFor(stack);
  try {
    return { inventory: await readFrom(run, stack), run };
  } catch (error) {
    const unselected = error instanceof ContainariumError && error.message === "no stack is selected";
    const hasFallback = fs.existsSync(path.join(run.project.root, `Pulumi.${fallbackStack}.yaml`));
    if (stack !== undefined || !unselected || !hasFallback) throw error;
    const fallback = runFor(fallbackStack);
    return { inventory: await readFrom(fallback, fallbackStack), run: fallback };
  }
}

async function readFrom(run: PulumiRun, stack: string | undefined): Promise<Inventory> {
  const args = ["stack", "output", "inventory", "--json", ...(stack === undefined ? [] : ["--stack", stack])];
  return parseInventory(await runPulumi(args, run), run);
}

export function parseInventory(text: string, { project }: Pick<PulumiRun, "project">): Inventory {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new OperationError("the stack's output `inventory` is not JSON", { cause: error });
  }
  const parsed = inventorySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new OperationError(
    `the stack's output \`inventory\` is not one that this version reads: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
    { remedy: `${project.pulumi} up\nwrites it anew.` },
  );
}
