import { between, list, repeated } from "../fleet";
import { nameOf, placeOf, types } from "../resource";
import { each, type Rule } from "../rule";

/** Another value in any of them makes a new disk, and the data is gone. */
const replacing = ["name", "type", "zone", "snapshot", "image", "sourceDisk", "physicalBlockSizeBytes"];

export const diskRules: readonly Rule[] = [
  {
    id: "disk-size",
    what: "A disk has 10 to 65536 GB, whole ones.",
    source: "api",
    check: each(types.disk, ({ inputs }) => !between(inputs.size, 10, 65536) && `size ${inputs.size}`),
  },
  {
    id: "boot-disk-size",
    what: "A boot disk is no smaller than the image, of 10 GB.",
    source: "docs",
    check: each(types.instance, ({ inputs }) => {
      const size = inputs.bootDisk?.initializeParams?.size;
      return size !== undefined && !between(size, 10, 65536) && `boot disk of ${size} GB`;
    }),
  },
  {
    id: "disk-never-shrinks",
    what: "A disk may grow; a smaller one would be another one.",
    source: "api",
    check: each(types.disk, (disk, { told }) => {
      const old = told.before?.find(({ type, name }) => type === disk.type && name === disk.name);
      return (
        old !== undefined && disk.inputs.size < old.inputs.size && `${old.inputs.size} GB to ${disk.inputs.size} GB`
      );
    }),
  },
  {
    id: "disk-is-not-replaced",
    what: "No change makes another disk under the same name in the stack.",
    source: "provider",
    check: each(types.disk, (disk, { told }) => {
      const old = told.before?.find(({ type, name }) => type === disk.type && name === disk.name);
      const ignored = disk.options?.ignoreChanges ?? [];
      return replacing.map(
        (key) =>
          old !== undefined && !ignored.includes(key) && disk.inputs[key] !== old.inputs[key] && `another ${key}`,
      );
    }),
  },
  {
    id: "disk-zone",
    what: "A disk is in the zone of its server.",
    source: "api",
    check: each(types.instance, ({ inputs }, fleet) =>
      list(inputs.attachedDisks).map(({ source }) => {
        const zone = fleet.find(types.disk, source)?.inputs.zone ?? placeOf(source);
        return zone !== undefined && zone !== inputs.zone && `${nameOf(source)} is in ${zone}`;
      }),
    ),
  },
  {
    id: "disk-attached-once",
    what: "A disk that is written to is attached to one server.",
    source: "api",
    check: (fleet) => {
      const uses = fleet
        .byType(types.instance)
        .flatMap((resource) => list(resource.inputs.attachedDisks).map((disk) => ({ resource, ...disk })))
        .filter(({ mode }) => mode !== "READ_ONLY")
        .map(({ resource, source }) => ({ resource, disk: nameOf(source) }));
      return repeated(uses.map(({ disk }) => disk)).map((disk) => ({
        resource: uses.findLast((use) => use.disk === disk)!.resource,
        message: `${disk} is attached already`,
      }));
    },
  },
  {
    id: "disk-is-in-use",
    what: "Every disk belongs to a server.",
    source: "ours",
    check: each(types.disk, (disk, fleet) => !fleet.isDataDisk(disk) && "is attached to no server"),
  },
  {
    id: "disk-is-kept",
    what: "No removal, and no destroy, deletes data.",
    source: "ours",
    check: each(types.disk, ({ options }) => options?.retainOnDelete !== true && "retainOnDelete is not set"),
  },
  {
    id: "disk-has-one-origin",
    what: "A disk is empty, or made from one thing.",
    source: "api",
    check: each(types.disk, ({ inputs }) => {
      const origins = ["image", "snapshot", "sourceDisk", "sourceInstantSnapshot"].filter((key) => inputs[key] !== undefined); // prettier-ignore
      return origins.length > 1 && origins.join(" and ");
    }),
  },
];
