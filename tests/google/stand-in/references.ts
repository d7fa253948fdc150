import type { Properties } from "./engine-protocol";
import { goesWith, type Kind, kinds, type Reference } from "./kinds";
import type { PretendedProject, Thing } from "./project";
import { valuesAt } from "./properties";

/** Who refers to whom in the project, and what Google says when that does not fit. */

export class GoogleError extends Error {
  constructor(code: number, message: string, reason: string) {
    super(`googleapi: Error ${code}: ${message}, ${reason}`);
  }
}

/** Is this value a way to write that thing: link, id, name, address, e-mail? */
export function pointsAt(value: unknown, { id, inputs, outputs }: Thing): boolean {
  if (typeof value !== "string" || value === "") return false;
  const bare = value.replace(/^https:\/\/(www|compute)\.googleapis\.com\/compute\/v1\//, "").replace(/^serviceAccount:/, ""); // prettier-ignore
  if (!bare.includes("/")) return [inputs.name, outputs.address, outputs.email].includes(bare);
  return bare === id || (bare.startsWith("projects/") ? false : id.endsWith(`/${bare}`));
}

/** @throws GoogleError when something is missing, or is another one's already. */
export function checkReferences(thing: Thing, project: PretendedProject): void {
  for (const reference of kindOf(thing).references) {
    for (const value of valuesAt(thing.inputs, reference.path).flat()) {
      const target = project.all(reference.to).find((one) => pointsAt(value, one));
      if (target === undefined && reference.required) throw notFound(reference, value);
      if (target === undefined || reference.alone === undefined) continue;
      const other = referringTo(target, project).find(
        (found) => found.reference.alone === reference.alone && found.by.id !== thing.id,
      );
      if (other !== undefined) throw inUse(target, other.by);
    }
  }
}

/** @throws GoogleError when something else holds on to it. */
export function refuseDeletionInUse(thing: Thing, project: PretendedProject): void {
  const holder = referringTo(thing, project).find(({ reference }) => reference.holds);
  if (holder !== undefined) throw inUse(thing, holder.by);
}

/** What is gone when this is gone. */
export function goneWith(thing: Thing, project: PretendedProject): Thing[] {
  const gone = goesWith[thing.type] ?? [];
  return referringTo(thing, project).flatMap(({ by }) => (gone.includes(by.type) ? [by] : []));
}

export function kindOf({ type }: { type: string }): Kind {
  const kind = kinds[type];
  if (kind === undefined) throw new Error(`this Google has no ${type}: describe it in kinds.ts`);
  return kind;
}

function referringTo(thing: Thing, project: PretendedProject): { by: Thing; reference: Reference }[] {
  return project
    .all()
    .filter(({ id }) => id !== thing.id)
    .flatMap((by) =>
      kindOf(by)
        .references.filter(({ to }) => to === thing.type)
        .filter(({ path }) =>
          valuesAt(by.inputs, path)
            .flat()
            .some((value) => pointsAt(value, thing)),
        ) // prettier-ignore
        .map((reference) => ({ by, reference })),
    );
}

function notFound({ to }: Reference, value: unknown): GoogleError {
  const message = `The ${kindOf({ type: to }).what} resource '${String(value)}' was not found`;
  return new GoogleError(404, message, "notFound");
}

function inUse(thing: Thing, by: Thing): GoogleError {
  const message = `The ${kindOf(thing).what} resource '${thing.id}' is already being used by '${by.id}'`;
  return new GoogleError(400, message, "resourceInUseByAnotherResource");
}

/** `{zone}` and its like, filled in. */
export function idOf(kind: Kind, inputs: Properties, place: Properties): string {
  return kind.id.replaceAll(/\{(\w+)\}/g, (_, key: string) => lastPart(inputs[key] ?? place[key]));
}

function lastPart(value: unknown): string {
  return String(value).startsWith("projects/") || String(value).startsWith("https:")
    ? (String(value).split("/").at(-1) ?? "")
    : String(value);
}
