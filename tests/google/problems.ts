import { declarationProblems } from "./declarations";
import type { Told } from "./fleet";
import type { Resource } from "./resource";
import { violations } from "./violations";

/** Packages whose declarations are installed; components and dynamic resources have none. */
const declared = /^(gcp|command):/;

/** Everything that can be said against the resources without asking Google, one line each. Right ones have none. */
export function problems(resources: readonly Resource[], told: Told = {}): string[] {
  return [
    ...resources
      .filter(({ type }) => declared.test(type))
      .flatMap((resource) => declarationProblems(resource).map((problem) => `${resource.name}: ${problem}`)),
    ...violations(resources, told).map(({ resource, rule, message }) => `${resource}: ${rule}: ${message}`),
  ];
}
