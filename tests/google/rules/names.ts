import { gceName } from "../../../components/naming";
import { list, repeated } from "../fleet";
import { nameOf, types } from "../resource";
import { each, type Rule } from "../rule";

const named = [
  types.address, types.backend, types.disk, types.firewall, types.forwardingRule, types.group, types.groupManager,
  types.healthCheck, types.instance, types.network, types.policy, types.route, types.subnet,
]; // prettier-ignore

const labelKey = /^[a-z][a-z0-9_-]{0,62}$/;
const labelValue = /^[a-z0-9_-]{0,63}$/;

export const nameRules: readonly Rule[] = [
  {
    id: "name-is-explicit",
    what: "What others refer to by its name has a name of our choice, not one of the engine's.",
    source: "ours",
    check: each([...named, types.job], ({ inputs }) => inputs.name === undefined && "has no name of its own on Google"),
  },
  {
    id: "name-form",
    what: "A name is 1 to 63 small letters, digits and dashes; it begins with a letter and ends in no dash.",
    source: "api",
    check: each(named, ({ inputs }) => inputs.name !== undefined && !gceName.test(inputs.name) && `name ${JSON.stringify(inputs.name)}`), // prettier-ignore
  },
  {
    id: "name-is-free",
    what: "No two things of a kind have one name.",
    source: "api",
    check: each([...named, types.job, types.account, types.role], (resource, fleet) => {
      const key = ({ inputs }: typeof resource) => inputs.name ?? inputs.accountId ?? inputs.roleId;
      const first = fleet.byType(resource.type).find((other) => key(other) === key(resource));
      return key(resource) !== undefined && first !== resource && `${key(resource)} is taken by ${first?.name}`;
    }),
  },
  {
    id: "job-name-form",
    what: "The name of a scheduled job is 1 to 500 letters, digits, dashes and underscores.",
    source: "memory",
    check: each(types.job, ({ inputs }) => inputs.name !== undefined && !/^[a-zA-Z\d_-]{1,500}$/.test(inputs.name) && `name ${inputs.name}`), // prettier-ignore
  },
  {
    id: "account-id-form",
    what: "The id of a service account is 6 to 30 small letters, digits and dashes.",
    source: "provider",
    check: each(types.account, ({ inputs }) => !/^[a-z]([-a-z0-9]{4,28}[a-z0-9])$/.test(inputs.accountId) && `accountId ${inputs.accountId}`), // prettier-ignore
  },
  {
    id: "role-id-form",
    what: "The id of a role is 3 to 64 letters, digits, underscores and dots: no dash.",
    source: "provider",
    check: each(types.role, ({ inputs }) => !/^[a-zA-Z0-9_.]{3,64}$/.test(inputs.roleId) && `roleId ${inputs.roleId}`),
  },
  {
    id: "label-form",
    what: "At most 64 labels; keys and values are small letters, digits, dashes and underscores, at most 63.",
    source: "memory",
    check: each([...named, types.template], ({ inputs }) => {
      const labels = Object.entries<string>(inputs.labels ?? {});
      return [
        labels.length > 64 && `${labels.length} labels`,
        ...labels.map(([key, value]) => (!labelKey.test(key) || !labelValue.test(value)) && `label ${key}=${value}`),
      ];
    }),
  },
  {
    id: "tag-form",
    what: "A network tag has the form of a name.",
    source: "api",
    check: each([types.instance, types.firewall, types.route], ({ inputs }) =>
      [inputs.tags, inputs.sourceTags, inputs.targetTags]
        .flatMap((tags) => list<string>(tags))
        .map((tag) => !gceName.test(tag) && `tag ${JSON.stringify(tag)}`),
    ),
  },
  {
    id: "tag-count",
    what: "At most 64 tags on a server; 70 targets and 30 sources in a firewall rule.",
    source: "memory",
    check: each([types.instance, types.firewall], ({ inputs }) => [
      list(inputs.tags).length > 64 && `${inputs.tags.length} tags`,
      list(inputs.targetTags).length > 70 && `${inputs.targetTags.length} target tags`,
      list(inputs.sourceTags).length > 30 && `${inputs.sourceTags.length} source tags`,
    ]),
  },
  {
    id: "description-length",
    what: "A description has at most 2048 characters.",
    source: "memory",
    check: each(named, ({ inputs }) => inputs.description?.length > 2048 && `description of ${inputs.description.length}`), // prettier-ignore
  },
  {
    id: "hostname-form",
    what: "A host name, where one is set, is fully qualified and has at most 253 characters.",
    source: "provider",
    check: each(types.instance, ({ inputs: { hostname } }) =>
      hostname !== undefined &&
      (hostname.length > 253 || !/^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z][-a-z0-9]*[a-z0-9]$/.test(hostname)) &&
      `hostname ${hostname}`,
    ), // prettier-ignore
  },
  {
    id: "device-name-form",
    what: "Every attached disk has a device name, of the form of a name: Linux finds it by google-NAME.",
    source: "ours",
    check: each(types.instance, ({ inputs }) =>
      list(inputs.attachedDisks).map(
        ({ deviceName, source }) => !gceName.test(deviceName ?? "") && `deviceName ${deviceName} of ${nameOf(source)}`,
      ),
    ),
  },
  {
    id: "device-name-is-free",
    what: "No two disks of a server have one device name.",
    source: "api",
    check: each(types.instance, ({ inputs }) => {
      const devices = [inputs.bootDisk, ...list(inputs.attachedDisks)].map((disk) => disk?.deviceName);
      return repeated(devices.filter((device) => device !== undefined)).map((device) => `two disks are ${device}`);
    }),
  },
];
