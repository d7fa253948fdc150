import { createServer, type Server } from "node:net";

import { isWithin, tryFromOutside } from "../../../ops/doctor/outside";

it.each([
  ["10.88.0.0/24", "10.88.0.1", true],
  ["10.88.0.0/24", "10.88.1.1", false],
  ["10.88.0.0/24", "::ffff:10.88.0.77", true],
  ["10.64.0.0/16", "10.64.200.9", true],
  ["0.0.0.0/0", "198.51.100.1", true],
])("%s has %s: %s", (range, address, expected) => expect(isWithin(range, address)).toBe(expected));

describe("a server on loopback", () => {
  let open: Server;
  let port = 0;
  beforeAll(async () => {
    open = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => open.listen(0, "127.0.0.1", resolve));
    port = (open.address() as { port: number }).port;
  });
  afterAll(() => open.close());
  const server = () => ({ name: "jump-1", address: "127.0.0.1", port, adminUser: "admin", hostKeys: ["x"] });

  it("SSH must be open, the others closed, the fleet's port only where this machine is outside", async () => {
    const attempts = await tryFromOutside(server(), "127.0.0.0/8");
    expect(attempts[0]).toMatchObject({ server: "jump-1", expected: "open", result: "open", ok: true });
    expect(attempts.slice(1).every(({ expected }) => expected === "closed")).toBe(true);
    expect(attempts.some(({ attempt }) => attempt.includes("8022"))).toBe(false);
    expect((await tryFromOutside(server(), "10.0.0.0/8")).some(({ attempt }) => attempt.includes("8022"))).toBe(true);
  });

  it("SSH that does not answer is not as it must be", async () => {
    const [ssh] = await tryFromOutside({ ...server(), port: 1 }, undefined);
    expect(ssh).toMatchObject({ expected: "open", result: "connection refused", ok: false });
  });
});
