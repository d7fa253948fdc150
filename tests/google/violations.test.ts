import { balancerBreaks } from "./breaks/balancer";
import type { Break } from "./breaks/break";
import { diskBreaks } from "./breaks/disks";
import { networkBreaks } from "./breaks/network";
import { serverBreaks } from "./breaks/servers";
import { all, option, set } from "./change";
import { devFleet, fleetOf, prodFleet, regularFleet } from "./fleets";
import { rules, violations } from "./violations";

const fleets = { dev: devFleet, prod: prodFleet, regular: regularFleet };
const breaks: readonly Break[] = [...serverBreaks, ...diskBreaks, ...networkBreaks, ...balancerBreaks];

test.each(Object.entries(fleets))("nothing is wrong with the %s fleet", (_name, fleet) => {
  expect(violations(fleet(), { jumpUsers: ["alice"], before: fleet() })).toEqual([]);
});

test("nothing is wrong with the largest fleet", () => {
  const servers = Array.from({ length: 240 }, (_, index) => index + 1);
  expect(violations(fleetOf({ stack: "all", servers, spot: true, balancer: true }))).toEqual([]);
});

test.each(breaks)("$rule: $how", ({ rule, change, fleet = "prod", told, at = change.at }) => {
  const found = violations(change.apply(fleets[fleet]()), told);
  expect([...new Set(found.map((violation) => violation.rule))]).toEqual([rule]);
  expect(found.map(({ resource }) => resource)).toContain(at);
});

test("SSH may be open to everybody where that was asked for", () => {
  const open = prodFleet().map((one) => (one.name === "allow-ssh" ? { ...one, inputs: { ...one.inputs, sourceRanges: ["0.0.0.0/0"] } } : one)); // prettier-ignore
  expect(violations(open, { sshFromEverywhere: true })).toEqual([]);
  expect(violations(open)).toHaveLength(1);
});

test("what the settings turn off is not missed", () => {
  const bare = prodFleet().filter(
    ({ name }) => name !== "jump-2-member" && name !== "daily" && !/-snapshots$/.test(name),
  );
  expect(violations(bare, { snapshotsOff: true, outOfBalancer: ["jump-2"] })).toEqual([]);
});

test("a change that the engine is told to pass over replaces no disk", () => {
  const restored = option("jump-1-data", { ignoreChanges: ["snapshot"] });
  const now = all(set("jump-1-data", { snapshot: "global/snapshots/x" }), restored).apply(prodFleet());
  expect(violations(now, { before: prodFleet() })).toEqual([]);
});

test("every rule has something that breaks it, and an id and a sentence of its own", () => {
  const broken = new Set(breaks.map(({ rule }) => rule));
  expect(rules.map(({ id }) => id).filter((id) => !broken.has(id))).toEqual([]);
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  expect(new Set(rules.map(({ what }) => what)).size).toBe(rules.length);
  for (const { id, what } of rules) {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(what).toMatch(/\.$/);
  }
});
