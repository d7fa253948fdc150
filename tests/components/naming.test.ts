import * as fc from "fast-check";

import { fleetNames, gceName } from "../../components/naming";

const stacks = fc.stringMatching(/^[A-Za-z0-9_.-]{1,100}$/);
const ids = fc.integer({ min: 1, max: 240 });

function allNames(stack: string, id: number): string[] {
  const { server, ...fleet } = fleetNames(stack);
  const own = server(id);
  return [
    fleet.fleet,
    fleet.network,
    fleet.subnet,
    ...(["ssh", "fleet", "health"] as const).map(fleet.firewall),
    ...(["address", "group", "ready", "backend", "rule"] as const).map(fleet.balancer),
    fleet.snapshotPolicy({ startTime: "04:00", retentionDays: 36500 }),
    own.instance,
    own.externalAddress,
    own.internalAddress,
    own.route,
    own.starter,
    own.dataDisk(1),
    own.dataDisk(99),
  ];
}

test("Google accepts every name of every stack and server", () => {
  fc.assert(
    fc.property(stacks, ids, (stack, id) => {
      for (const name of allNames(stack, id)) expect(name).toMatch(gceName);
      expect(fleetNames(stack).starterAccount).toMatch(/^[a-z]([-a-z0-9]{4,28}[a-z0-9])$/);
      expect(fleetNames(stack).starterRole).toMatch(/^[a-zA-Z0-9_.]{3,64}$/);
    }),
  );
});

test("stacks share no name, however long or alike theirs are", () => {
  fc.assert(
    fc.property(stacks, stacks, ids, (a, b, id) => {
      fc.pre(a !== b);
      const names = new Set(allNames(a, id));
      expect(allNames(b, id).filter((name) => names.has(name))).toEqual([]);
      expect(fleetNames(a).starterAccount).not.toBe(fleetNames(b).starterAccount);
    }),
  );
  expect(fleetNames("Prod").fleet).not.toBe(fleetNames("prod").fleet);
});

test("the names of an ordinary stack are plain", () => {
  const names = fleetNames("prod");
  expect(names.server(2)).toMatchObject({ server: "jump-2", instance: "containarium-prod-jump-2" });
  expect(names.server(2).dataDisk(1)).toBe("containarium-prod-jump-2-data");
  expect(names.server(2).dataDisk(2)).toBe("containarium-prod-jump-2-data-g2");
  expect(names.starterAccount).toBe("containarium-prod-starter");
  expect(names.snapshotPolicy({ startTime: "04:00", retentionDays: 30 })).toBe("containarium-prod-daily-0400-30d");
});
