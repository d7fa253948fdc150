import fc from "fast-check";

import { candidates, candidatesFor, pickSubnet, usersOf } from "../../../scripts/host/subnet";

const route = (dst: string, dev = "eth0") => ({ dst, dev });
const link = (ifname: string, local: string, prefixlen: number) => ({
  ifname,
  addr_info: [{ family: "inet", local, prefixlen }],
});

describe("pickSubnet", () => {
  it.each([
    ["an empty host", [], [], "10.88.0.0/24"],
    ["a default route only", [route("default"), route("0.0.0.0/1"), route("128.0.0.0/1")], [], "10.88.0.0/24"],
    ["a route to the first candidate", [route("10.88.0.0/24")], [], "10.88.1.0/24"],
    ["a host route into it", [route("10.88.0.77")], [], "10.88.1.0/24"],
    ["a route that covers several", [route("10.88.0.0/22")], [], "10.88.4.0/24"],
    ["a VPN that takes all of 10/8", [route("10.0.0.0/8", "tun0")], [], "172.31.0.0/24"],
    [
      "a VPN that takes the private ranges but one",
      [route("10.0.0.0/8"), route("172.16.0.0/12")],
      [],
      "192.168.64.0/24",
    ],
    ["an address without a route", [], [link("dummy0", "10.88.0.9", 32)], "10.88.1.0/24"],
    ["IPv6 only", [route("fd00::/8")], [link("eth0", "10.0.0.1", 24)], "10.88.0.0/24"],
  ])("with %s", (_what, routes, links, expected) => {
    expect(pickSubnet(routes, links)).toBe(expected);
  });

  it("finds nothing where everything is taken", () => {
    expect(pickSubnet([route("10.0.0.0/8"), route("172.16.0.0/12"), route("192.168.0.0/16")], [])).toBeUndefined();
  });

  it("never picks what a route or an address overlaps", () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const network = fc.tuple(
      fc.constantFrom("10.88", "172.31", "10.89"),
      octet,
      octet,
      fc.integer({ min: 16, max: 32 }),
    );
    fc.assert(
      fc.property(fc.array(network, { maxLength: 20 }), (networks) => {
        const routes = networks.map(([prefix, c, d, length]) => route(`${prefix}.${c}.${d}/${length}`));
        const picked = pickSubnet(routes, []);
        if (picked === undefined) return;
        expect(candidates).toContain(picked);
        const [a, b, c] = picked.split(".").map(Number);
        for (const { dst } of routes) {
          const [address = "", length] = dst.split("/");
          const bits = Math.min(Number(length), 24);
          expect(prefixOf(`${a}.${b}.${c}.0`, bits)).not.toBe(prefixOf(address, bits));
        }
      }),
    );
  });

  it("leaves the people's containers, 10.0.3.0 to 10.0.242.255, alone", () => {
    expect(candidates.filter((subnet) => subnet.startsWith("10.0."))).toEqual([]);
  });
});

it("begins elsewhere for another fleet, always in the same place for the same, and has all of them for each", () => {
  const starts = ["one", "two", "three"].map((fleet) => candidatesFor(fleet)[0]);
  expect(new Set(starts).size).toBe(3);
  expect(candidatesFor("one")).toEqual(candidatesFor("one"));
  expect([...candidatesFor("one")].sort()).toEqual([...candidates].sort());
  expect(pickSubnet([route("10.88.0.0/16")], [], candidatesFor("one"))).toBe("172.31.0.0/24");
});

it("usersOf names who uses a subnet", () => {
  const routes = [route("10.88.0.0/24", "containarium0"), route("10.88.0.128/25", "docker0")];
  expect(usersOf("10.88.0.0/24", routes, [link("containarium0", "10.88.0.1", 24)])).toEqual([
    "containarium0",
    "docker0",
  ]);
  expect(usersOf("10.88.1.0/24", routes, [])).toEqual([]);
});

function prefixOf(address: string, bits: number): string {
  return address
    .split(".")
    .map((part) => Number(part).toString(2).padStart(8, "0"))
    .join("")
    .slice(0, bits);
}
