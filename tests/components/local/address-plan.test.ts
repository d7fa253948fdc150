import * as fc from "fast-check";

import {
  balancerAddress,
  bridgeAddress,
  containerSubnet,
  localNames,
  machineAddress,
} from "../../../components/local/address-plan";

const ids = fc.integer({ min: 1, max: 240 });

test("every server has an address and a subnet of its own, and none is the host's", () => {
  fc.assert(
    fc.property(ids, ids, (a, b) => {
      fc.pre(a !== b);
      expect(machineAddress("10.88.0.0/24", a)).not.toBe(machineAddress("10.88.0.0/24", b));
      expect(containerSubnet(a)).not.toBe(containerSubnet(b));
      const last = Number(machineAddress("10.88.0.0/24", a).split(".")[3]);
      expect(last).toBeGreaterThan(10);
      expect(last).toBeLessThan(255);
    }),
  );
});

test("the plan of the first server", () => {
  expect(machineAddress("10.88.0.0/24", 1)).toBe("10.88.0.11");
  expect(bridgeAddress("10.88.0.0/24")).toBe("10.88.0.1/24");
  expect(balancerAddress("10.88.0.0/24")).toBe("10.88.0.5");
  expect(containerSubnet(1)).toBe("10.0.3.0/24");
});

test("stacks do not share names, and an interface name has at most 15 characters", () => {
  const [local, other] = [localNames("local"), localNames("a-very-long-stack-name")];
  expect(local.machine("jump-1")).toBe("jump-1");
  expect(other.machine("jump-1")).toBe("a-very-long-stack-name-jump-1");
  expect(other.network.length).toBeLessThanOrEqual(15);
  expect(other.network).not.toBe(local.network);
  expect(other.network).not.toBe(localNames("a-very-long-stack-name-2").network);
  expect([local.balancer, other.balancer]).toEqual(["balancer", "a-very-long-stack-name-balancer"]);
  expect(other.pool).not.toBe(local.pool);
});
