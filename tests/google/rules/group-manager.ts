import { between, list, repeated } from "../fleet";
import { nameOf, types } from "../resource";
import { each, type Rule } from "../rule";

/** The fleet has no managed groups. Whoever tries them again finds here what they refuse. */
export const groupManagerRules: readonly Rule[] = [
  {
    id: "group-manager-base-name",
    what: "The base of the names in a managed group has at most 58 characters.",
    source: "api",
    check: each(types.groupManager, ({ inputs }) => !/^[a-z]([-a-z0-9#[\]]{0,57})$/.test(inputs.baseInstanceName ?? "") && `baseInstanceName ${inputs.baseInstanceName}`), // prettier-ignore
  },
  {
    id: "template-name-prefix",
    what: "A template's name prefix has at most 37 characters: beyond that its suffix is cut, and names meet again.",
    source: "provider",
    check: each(types.template, ({ inputs }) => inputs.namePrefix?.length > 37 && `namePrefix of ${inputs.namePrefix.length}`), // prettier-ignore
  },
  {
    id: "stateful-group-has-no-size",
    what: "A group whose servers are configured one by one gets its size from them, and from no autoscaler.",
    source: "provider",
    check: each(types.groupManager, ({ inputs }, fleet) => [
      inputs.targetSize !== undefined && `targetSize ${inputs.targetSize}`,
      fleet.byType(types.autoscaler).some((one) => nameOf(one.inputs.target) === inputs.name) && "has an autoscaler",
    ]),
  },
  {
    id: "stateful-group-recreates",
    what: "Servers with disks of their own are replaced by RECREATE, none added before.",
    source: "api",
    check: each(types.groupManager, ({ inputs: { updatePolicy: policy } }) =>
      policy !== undefined &&
      (policy.replacementMethod !== "RECREATE" || policy.maxSurgeFixed !== 0 || !((policy.maxUnavailableFixed ?? 0) > 0)) &&
      `updatePolicy ${policy.replacementMethod}`,
    ), // prettier-ignore
  },
  {
    id: "auto-healing-delay",
    what: "Healing waits 0 to 3600 seconds for a new server.",
    source: "api",
    check: each(types.groupManager, ({ inputs }) => inputs.autoHealingPolicies !== undefined && !between(inputs.autoHealingPolicies.initialDelaySec, 0, 3600) && `initialDelaySec ${inputs.autoHealingPolicies.initialDelaySec}`), // prettier-ignore
  },
  {
    id: "per-instance-config",
    what: "A server's own configuration has the bare name of its group, disks of different names, and goes with its server.",
    source: "provider",
    check: each(types.perInstanceConfig, ({ inputs }) => [
      String(inputs.instanceGroupManager).includes("/") && `instanceGroupManager ${inputs.instanceGroupManager}`,
      inputs.removeInstanceOnDestroy !== true && "removeInstanceOnDestroy is not set",
      ...repeated(list(inputs.preservedState?.disks).map(({ deviceName }) => deviceName)).map((name) => `two disks are ${name}`),
    ]), // prettier-ignore
  },
];
