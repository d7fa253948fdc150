import * as fc from "fast-check";

import { overlap, parseAddress, parseCidr } from "../../components/cidr";
import { type FleetWishes, planFleet } from "../../components/fleet-plan";
import { InvalidInputError } from "../../ops/errors";

const wishes: FleetWishes = {
  stack: "prod",
  servers: [1, 2, 4],
  zone: "us-central1-a",
  machineType: "n2-standard-8",
  spot: true,
  subnet: "10.64.0.0/24",
  dataDiskSizeGb: 100,
  dataDisks: [],
};

test("the plan of one server", () => {
  expect(planFleet(wishes).servers[2]).toMatchObject({
    id: 4,
    names: { instance: "containarium-prod-jump-4" },
    region: "us-central1",
    internalAddress: "10.64.0.14",
    containerSubnet: "10.0.6.0/24",
    dataDisk: { name: "containarium-prod-jump-4-data", logicalName: "jump-4-data", sizeGb: 100, adopt: false },
  });
});

const someIds = fc.uniqueArray(fc.integer({ min: 1, max: 240 }), { minLength: 1, maxLength: 10 });

test("a server's plan does not depend on the others: nothing changes for those that stay", () => {
  fc.assert(
    fc.property(someIds, someIds, (before, after) => {
      const [was, is] = [before, after].map((servers) => planFleet({ ...wishes, servers }).servers);
      for (const id of before.filter((one) => after.includes(one))) {
        const find = (plans: typeof was) => JSON.stringify(plans?.find((plan) => plan.id === id));
        expect(find(is)).toBe(find(was));
      }
    }),
  );
});

test("addresses are inside the subnet, apart from Google's own, and no subnets overlap", () => {
  fc.assert(
    fc.property(someIds, fc.constantFrom("10.64.0.0/24", "172.16.0.0/16", "192.168.4.0/22"), (servers, subnet) => {
      const { servers: plans } = planFleet({ ...wishes, servers, subnet });
      const range = parseCidr(subnet)!;
      const end = range.base + 2 ** (32 - range.prefix);
      const addresses = plans.map((plan) => parseAddress(plan.internalAddress)!);
      expect(new Set(addresses).size).toBe(plans.length);
      for (const address of addresses) {
        expect(address).toBeGreaterThan(range.base + 1);
        expect(address).toBeLessThan(end - 2);
      }
      const ranges = [range, ...plans.map((plan) => parseCidr(plan.containerSubnet)!)];
      expect(ranges.some((a, i) => ranges.some((b, j) => i < j && overlap(a, b)))).toBe(false);
    }),
  );
});

test("a restore is another disk, under another name in the stack: nothing is ever replaced", () => {
  const restored = { server: 2, generation: 2, snapshot: "global/snapshots/monday" };
  const { servers } = planFleet({ ...wishes, dataDisks: [restored] });
  expect(servers[1]?.dataDisk).toMatchObject({
    name: "containarium-prod-jump-2-data-g2",
    logicalName: "jump-2-data-g2",
    snapshot: "global/snapshots/monday",
  });
  expect(JSON.stringify(servers[0])).toBe(JSON.stringify(planFleet(wishes).servers[0]));
});

test.each<[string, Partial<FleetWishes>, RegExp]>([
  ["a region as zone", { zone: "us-central1" }, /containarium:zone: "us-central1"/],
  ["a subnet with host bits", { subnet: "10.64.0.1/24" }, /containarium:subnet: "10.64.0.1\/24".*host bits/],
  ["text as a subnet", { subnet: "banana" }, /containarium:subnet: "banana"/],
  ["a subnet too small", { subnet: "10.64.0.0/25" }, /\/16 to a \/24/],
  ["a public subnet", { subnet: "8.8.8.0/24" }, /not private/],
  ["a subnet among the containers'", { subnet: "10.0.200.0/24" }, /overlaps 10\.0\.0\.0\/16/],
  ["a disk of no server", { dataDisks: [{ server: 3 }] }, /no server 3/],
  ["two disks for a server", { dataDisks: [{ server: 1 }, { server: 1 }] }, /server 1 is there twice/],
  ["a snapshot over the living disk", { dataDisks: [{ server: 1, snapshot: "global/snapshots/x" }] }, /generation 1/],
  ["generation 0", { dataDisks: [{ server: 1, generation: 0 }] }, /generation 0/],
  ["a snapshot for a disk that exists", { dataDisks: [{ server: 1, generation: 2, snapshot: "x", adopt: true }] }, /snapshot and adopt/], // prettier-ignore
])("refuses %s", (_what, wrong, message) => {
  expect(() => planFleet({ ...wishes, ...wrong })).toThrow(message);
  expect(() => planFleet({ ...wishes, ...wrong })).toThrow(InvalidInputError);
});
