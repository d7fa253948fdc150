import type { Fleet } from "./fleet";
import type { Resource } from "./resource";

/**
 * Who says so: the API's own description, the provider's source, Google's documentation, an error that somebody got, or
 * memory without a source at hand; `ours` is what this project wants beyond what Google accepts.
 */
export type Source = "api" | "provider" | "docs" | "reports" | "memory" | "ours";

export interface Finding {
  resource: Resource;
  message: string;
}

export interface Rule {
  id: string;
  /** What holds when nothing is wrong. One sentence. */
  what: string;
  source: Source;
  /** Pure: what is wrong with the fleet. */
  check(fleet: Fleet): Finding[];
}

type Problems = string | false | undefined | (string | false | undefined)[];

/** A check of each resource of a type by itself, or in view of the others. Whatever text it returns is a problem. */
export function each(
  type: string | readonly string[],
  problemsOf: (resource: Resource, fleet: Fleet) => Problems,
): Rule["check"] {
  const wanted = typeof type === "string" ? [type] : type;
  return (fleet) =>
    fleet.resources
      .filter((resource) => wanted.includes(resource.type))
      .flatMap((resource) =>
        [problemsOf(resource, fleet)]
          .flat()
          .filter((message) => typeof message === "string")
          .map((message) => ({ resource, message })),
      );
}
