import { readFileSync } from "node:fs";

import { diffOf } from "./diff";
import { kinds, types } from "./kinds";

const diff = (type: keyof typeof types, olds: object, news: object) =>
  diffOf(types[type], kinds[types[type]]!, { name: "n", ...olds }, { name: "n", ...news });
const verdict = (type: keyof typeof types, olds: object, news: object) =>
  diff(type, olds, news).changes.map(({ path, kind, replace }) => `${replace ? "replace" : kind} ${path}`);

test("nothing changed, in any order", () => {
  expect(verdict("instance", { a: { b: 1, c: [1, 2] } }, { a: { c: [1, 2], b: 1 } })).toEqual([]);
});

test.each([
  ["a disk grows", "disk", { size: 10 }, { size: 20 }, ["update size"]],
  ["a disk does not shrink", "disk", { size: 20 }, { size: 10 }, ["replace size"]],
  ["a disk keeps its snapshot", "disk", {}, { snapshot: "s" }, ["replace snapshot"]],
  ["labels are labels", "disk", { labels: { a: "1" } }, { labels: { a: "2", b: "1" } }, ["update labels.a", "add labels.b"]],
  ["metadata changes in place", "instance", { metadata: { "startup-script": "a" } }, { metadata: { "startup-script": "b" } }, ['update metadata["startup-script"]']],
  ["the other startup script does not", "instance", { metadataStartupScript: "a" }, { metadataStartupScript: "b" }, ["replace metadataStartupScript"]],
  ["spot is for life", "instance", { scheduling: { provisioningModel: "SPOT", automaticRestart: false } }, { scheduling: { provisioningModel: "STANDARD", automaticRestart: true } }, ["replace scheduling.provisioningModel", "update scheduling.automaticRestart"]],
  ["so is the boot image", "instance", { bootDisk: { initializeParams: { image: "a" } } }, { bootDisk: { initializeParams: { image: "b" } } }, ["replace bootDisk.initializeParams.image"]],
  ["a machine type is not", "instance", { machineType: "a", tags: ["x"] }, { machineType: "b", tags: ["y"] }, ["update machineType", "update tags[0]"]],
  ["another network interface", "instance", { networkInterfaces: [{ a: 1 }] }, { networkInterfaces: [{ a: 1 }, { a: 2 }] }, ["replace networkInterfaces[1]"]],
  ["an external address", "instance", { networkInterfaces: [{ accessConfigs: [{ natIp: "a" }] }] }, { networkInterfaces: [{ accessConfigs: [{ natIp: "b" }] }] }, ["update networkInterfaces[0].accessConfigs[0].natIp"]],
  ["a route is for life", "route", { priority: 900 }, { priority: 901 }, ["replace priority"]],
  ["a schedule", "policy", { snapshotSchedulePolicy: { schedule: { x: 1 } } }, { snapshotSchedulePolicy: { schedule: { x: 2 } } }, ["replace snapshotSchedulePolicy.schedule.x"]],
  ["a wider subnetwork", "subnetwork", { ipCidrRange: "10.64.0.0/24" }, { ipCidrRange: "10.64.0.0/23" }, ["update ipCidrRange"]],
  ["another subnetwork", "subnetwork", { ipCidrRange: "10.64.0.0/24" }, { ipCidrRange: "10.65.0.0/24" }, ["replace ipCidrRange"]],
  ["a firewall's ranges", "firewall", { sourceRanges: ["a"] }, { sourceRanges: ["a", "b"] }, ["add sourceRanges[1]"]],
  ["a membership", "membership", { instance: "a" }, { instance: "b" }, ["replace instance"]],
] as const)("%s", (_what, type, olds, news, expected) => {
  expect(verdict(type, olds, news)).toEqual(expected);
}); // prettier-ignore

test("under the same name the old one goes first", () => {
  expect(diff("disk", { size: 20 }, { size: 10 }).deleteBeforeReplace).toBe(true);
  expect(diff("disk", { size: 20 }, { size: 10, name: "m" }).deleteBeforeReplace).toBe(false);
  expect(diff("disk", { size: 20 }, { size: 30 }).deleteBeforeReplace).toBe(false);
});

test("every property that the table names is one of the installed package", () => {
  const unknown = Object.entries(kinds).flatMap(([type, { named, keeps, references }]) => {
    const declared = argumentsOf(type);
    const listed = [...(Array.isArray(keeps) ? keeps : keeps.allBut), ...named, ...references.map(({ path }) => path)];
    return listed.filter((path) => !declared.includes(path.split(/[.[]/)[0] ?? "")).map((path) => `${type} ${path}`);
  });
  expect(unknown).toEqual([]);
});

/** Of the interface `...Args` in the package's declarations. */
function argumentsOf(type: string): string[] {
  const [, module = "", name = ""] = type.split(":");
  const file = module.replace("iAMCustomRole", "iamcustomRole");
  const text = readFileSync(require.resolve(`@pulumi/gcp/${file}.d.ts`), "utf8");
  const body = new RegExp(`export interface ${name}Args \\{([\\s\\S]*?)\\n\\}`).exec(text)?.[1] ?? "";
  return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, property]) => property ?? "");
}
