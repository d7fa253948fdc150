import { Fleet, type Told } from "./fleet";
import type { Resource } from "./resource";
import type { Rule } from "./rule";
import { addressRules } from "./rules/addresses";
import { balancerRules } from "./rules/balancer";
import { diskRules } from "./rules/disks";
import { firewallRules } from "./rules/firewalls";
import { groupManagerRules } from "./rules/group-manager";
import { machineRules } from "./rules/machine";
import { metadataRules } from "./rules/metadata";
import { nameRules } from "./rules/names";
import { networkRules } from "./rules/network";
import { schedulingRules } from "./rules/scheduling";
import { snapshotRules } from "./rules/snapshots";
import { starterRules } from "./rules/starter";

export interface Violation {
  /** Id of the rule. */
  rule: string;
  /** Name of the resource in the stack. */
  resource: string;
  message: string;
}

/** What Google refuses although the engine and the declarations take it, and what we would not have. */
export const rules: readonly Rule[] = [
  ...nameRules,
  ...metadataRules,
  ...machineRules,
  ...schedulingRules,
  ...addressRules,
  ...diskRules,
  ...snapshotRules,
  ...networkRules,
  ...firewallRules,
  ...balancerRules,
  ...starterRules,
  ...groupManagerRules,
];

/** Everything that is wrong with these resources, taken together. Other types than Google's are passed over. */
export function violations(resources: readonly Resource[], told: Told = {}): Violation[] {
  const fleet = new Fleet(resources, told);
  return rules.flatMap((rule) =>
    rule.check(fleet).map(({ resource, message }) => ({ rule: rule.id, resource: resource.name, message })),
  );
}
