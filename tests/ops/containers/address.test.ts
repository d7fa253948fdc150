import fc from "fast-check";
import { chooseAddress, staticZone } from "../../../ops/containers/address";

const GATEWAY = "10.0.3.1/24";

it("the static zone keeps away from the bridge and from DHCP", () => {
  const zone = staticZone(GATEWAY);
  expect([zone[0], zone.at(-1), zone.length]).toEqual(["10.0.3.10", "10.0.3.199", 190]);
  expect(() => staticZone("10.0.3.1/16")).toThrow("not a /24");
});

it("chooses the lowest free address", () => {
  expect(chooseAddress(GATEWAY, [])).toBe("10.0.3.10");
  expect(chooseAddress(GATEWAY, ["10.0.3.10", "10.0.3.12", "10.0.3.200"])).toBe("10.0.3.11");
});

it("says when the server is full", () => {
  expect(() => chooseAddress(GATEWAY, staticZone(GATEWAY))).toThrow(
    expect.objectContaining({ kind: "conflict", message: expect.stringContaining("full") }),
  );
});

it("never chooses a taken one, in order or at random", () => {
  const zone = staticZone(GATEWAY);
  fc.assert(
    fc.property(
      fc.subarray(zone, { maxLength: 189 }),
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      (used, random) => {
        for (const options of [{}, { random: () => random }]) {
          const chosen = chooseAddress(GATEWAY, used, options);
          expect(zone).toContain(chosen);
          expect(used).not.toContain(chosen);
        }
      },
    ),
  );
});
