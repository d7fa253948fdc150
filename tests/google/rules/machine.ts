import { list } from "../fleet";
import { nameOf, types } from "../resource";
import { each, type Rule } from "../rule";

const hyperdiskOnly = /^(c4|c4a|c4d|n4|n4a|n4d|x4|m4)-/;
const persistentOnly = /^(e2|n1|n2|n2d|t2d|t2a|f1|g1|c2|c2d)-/;
const confidential = /^(n2d|c2d|c3d|c3|c4d)-/;

/** The kind of a boot disk, or of an attached one. */
const kind = (type: unknown) => nameOf(type) || "pd-standard";

export const machineRules: readonly Rule[] = [
  {
    id: "zone-form",
    what: "A zone is a region and a letter.",
    source: "api",
    check: each([types.instance, types.disk, types.group, types.membership, types.policyAttachment, types.instanceMember], ({ inputs: { zone } }) => !/^[a-z]+-[a-z]+\d+-[a-z]$/.test(zone ?? "") && `zone ${zone}`), // prettier-ignore
  },
  {
    id: "disk-kind-fits-machine",
    what: "Machines of the fourth generation take hyperdisks only; those before the third take no hyperdisk-balanced.",
    source: "memory",
    check: each(types.instance, ({ inputs }, fleet) => {
      const disks = [
        inputs.bootDisk?.initializeParams?.type,
        ...list(inputs.attachedDisks).map(({ source }) => fleet.find(types.disk, source)?.inputs.type ?? "unknown"),
      ].map(kind);
      return disks.map(
        (disk) =>
          ((hyperdiskOnly.test(inputs.machineType) && disk.startsWith("pd-")) ||
            (persistentOnly.test(inputs.machineType) && disk === "hyperdisk-balanced")) &&
          `${inputs.machineType} with ${disk}`,
      );
    }),
  },
  {
    id: "secure-boot-takes-signed-modules",
    what: "Debian builds its ZFS module on the server, unsigned: Secure Boot refuses it.",
    source: "docs",
    check: each(types.instance, ({ inputs }) =>
      inputs.shieldedInstanceConfig?.enableSecureBoot === true &&
      /debian/.test(inputs.bootDisk?.initializeParams?.image ?? "") &&
      "enableSecureBoot with a Debian image",
    ), // prettier-ignore
  },
  {
    id: "integrity-monitoring-needs-vtpm",
    what: "Integrity monitoring needs the virtual TPM.",
    source: "docs",
    check: each(types.instance, ({ inputs: { shieldedInstanceConfig: shield } }) => shield !== undefined && shield.enableIntegrityMonitoring !== false && shield.enableVtpm === false && "integrity monitoring without a TPM"), // prettier-ignore
  },
  {
    id: "confidential-machine",
    what: "Confidential servers are of certain families.",
    source: "memory",
    check: each(types.instance, ({ inputs }) => inputs.confidentialInstanceConfig?.enableConfidentialCompute === true && !confidential.test(inputs.machineType) && `confidential on ${inputs.machineType}`), // prettier-ignore
  },
  {
    id: "confidential-disk",
    what: "Confidential disks are hyperdisks.",
    source: "api",
    check: each(types.disk, ({ inputs }) => inputs.enableConfidentialCompute === true && !kind(inputs.type).startsWith("hyperdisk") && `confidential ${inputs.type}`), // prettier-ignore
  },
  {
    id: "server-has-no-service-account",
    what: "A server that many people use holds no credentials of the project.",
    source: "ours",
    check: each(types.instance, ({ inputs }) => inputs.serviceAccount !== undefined && "has a service account"),
  },
  {
    id: "server-has-no-resource-policies",
    what: "A change of a server's resourcePolicies replaces it.",
    source: "provider",
    check: each(types.instance, ({ inputs }) => inputs.resourcePolicies !== undefined && "resourcePolicies is set"),
  },
  {
    id: "server-goes-before-its-successor",
    what: "Name, addresses and data disk are free only when the old server is gone.",
    source: "ours",
    check: each(
      types.instance,
      ({ options }) => options?.deleteBeforeReplace !== true && "deleteBeforeReplace is not set",
    ),
  },
  {
    id: "server-may-be-stopped-for-updates",
    what: "Another machine type is an update of a stopped server, if it may be stopped.",
    source: "provider",
    check: each(types.instance, ({ inputs }) => inputs.allowStoppingForUpdate !== true && "allowStoppingForUpdate is not set"), // prettier-ignore
  },
  {
    id: "made-anew-with-its-server",
    what: "Membership and permission are lost with a server that is replaced, and Google says nothing: they are replaced too.",
    source: "provider",
    check: each([types.membership, types.instanceMember], ({ inputs, options }, fleet) => {
      const vm = fleet.find(types.instance, inputs.instance ?? inputs.instanceName);
      const isTied = (options?.replaceWith ?? []).some((urn) => urn.split("::").at(-1) === vm?.name);
      return vm !== undefined && !isTied && `is not replaced with ${vm.name}`;
    }),
  },
];
