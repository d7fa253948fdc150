import { Machine } from "./machine";

const PRIVATE = ["169.254.169.254", "10.20.0.2", "172.16.9.2", "192.168.77.2", "100.64.0.2"];

/** The kernel's layer, without any help of sshd. Every refusal is repeated without the table, where it must answer. */
export function describeFirewall(machine: Machine): void {
  const fromJumpAccount: ["tcp" | "udp", string, number][] = [
    ["tcp", "10.0.3.10", 80],
    ["tcp", "10.0.3.11", 22],
    ["tcp", "127.0.0.1", 80],
    ["tcp", "127.0.0.1", 22],
    ["tcp", "127.0.0.1", 8022],
    ["tcp", "10.64.0.11", 8022],
    ["tcp", "10.64.0.12", 8022],
    ["tcp", "10.64.0.12", 22],
    ["tcp", "10.0.3.1", 8443],
    ["udp", "10.0.3.1", 53],
    ["tcp", "169.254.169.254", 80],
    ["tcp", "10.20.0.2", 22],
    ["udp", "198.51.100.2", 53],
    ["tcp", "198.51.100.2", 80],
    ["tcp", "::1", 22],
    ["tcp", "2001:db8::2", 80],
    ["tcp", "fd00:3::1", 80],
  ];
  const fromContainer: ["tcp" | "udp", string, number][] = [
    ...PRIVATE.flatMap((address): ["tcp" | "udp", string, number][] => [
      ["tcp", address, 80],
      ["udp", address, 53],
    ]),
    ["tcp", "fd00:77::2", 80],
    ["tcp", "10.0.3.1", 22],
    ["tcp", "10.0.3.1", 80],
    ["tcp", "10.0.3.1", 8443],
    ["tcp", "10.0.3.1", 8022],
    ["tcp", "10.64.0.11", 8022],
    ["tcp", "10.64.0.12", 8022],
    ["tcp", "10.64.0.12", 22],
    ["tcp", "198.51.100.1", 22],
    ["tcp", "198.51.100.1", 80],
    ["tcp", "fd00:3::1", 80],
  ];

  /** Namespace, own address, kind, where to. */
  const fromElsewhere: [string, string, "tcp" | "udp", string, number][] = [
    ["fleet", "10.64.0.12", "tcp", "10.0.3.10", 80],
    ["fleet", "10.64.0.12", "tcp", "10.0.3.10", 2222],
    ["fleet", "10.64.0.5", "tcp", "10.0.3.10", 22],
    ["fleet", "35.191.0.9", "tcp", "10.0.3.10", 22],
    ["outside", "198.51.100.2", "tcp", "10.0.3.10", 22],
    ["outside", "198.51.100.2", "tcp", "198.51.100.1", 8022],
    ["outside", "10.20.0.2", "tcp", "198.51.100.1", 8022],
    ["outside", "2001:db8::2", "tcp", "2001:db8::1", 8022],
  ];
  const reachFromElsewhere = () =>
    Promise.all(
      fromElsewhere.map(async ([as, own, kind, address, port]) => {
        return `${own} ${address} ${port}: ${await machine.reach(kind, address, port, as, own)}`;
      }),
    );

  const reachAll = (places: typeof fromContainer, as: string | number) =>
    Promise.all(places.map(async (place) => `${place.join(" ")}: ${await machine.reach(...place, as)}`));

  describe("the firewall", () => {
    let uid: number;
    beforeAll(async () => {
      const { accounts } = (await machine.helper({ op: "account.list" })).result;
      uid = accounts.find((account) => account.user === "alice")!.uid;
    });

    test("lets a jump account's uid reach port 22 of its own container and nothing else", async () => {
      expect(await machine.reach("tcp", "10.0.3.10", 22, uid)).toMatch(/^SSH-2\.0/);
      for (const line of await reachAll(fromJumpAccount, uid)) expect(line).toMatch(/: refused/);
    });

    test("does so where sshd would forward anything", async () => {
      const through = (place: string) => machine.ssh(["-W", place], { port: 2299 });
      expect((await through("10.0.3.10:22")).stdout).toMatch(/^SSH-2\.0/);
      for (const place of ["10.0.3.11:22", "169.254.169.254:80", "127.0.0.1:80", "[2001:db8::2]:80"]) {
        const outcome = await through(place);
        expect(outcome.stdout).toBe("");
        expect(outcome.stderr).toContain("connect failed");
      }
    });

    test("refuses a uid of the range that nobody told it of", async () => {
      expect(await machine.reach("tcp", "10.0.3.10", 22, 79_999)).toMatch(/^refused/);
    });

    test("lets a container have names, an address, ping and the internet", async () => {
      expect(await machine.reach("tcp", "10.0.3.1", 53, "alice")).toMatch(/^standin/);
      expect(await machine.reach("udp", "10.0.3.1", 53, "alice")).toMatch(/^standin/);
      const types = { discover: 1, request: 3, release: 7, inform: 8 };
      for (const type of Object.values(types)) {
        expect(await machine.reach("dhcp", "10.0.3.1", type, "alice")).toMatch(/^standin/);
      }
      expect(await machine.reach("tcp", "198.51.100.2", 80, "alice")).toMatch(/^standin/);
      expect(await machine.reach("udp", "198.51.100.2", 53, "alice")).toMatch(/^standin/);
      expect(await machine.reach("tcp", "2001:db8::2", 80, "alice")).toMatch(/^standin/);
      expect(await machine.reach("ping", "10.0.3.1", "", "alice")).toBe("pong");
    });

    test("lets no container decline an address, nor say anything that is no DHCP to its server", async () => {
      const decline = 4;
      expect(await machine.reach("dhcp", "10.0.3.1", decline, "alice")).toMatch(/^refused/);
      expect(await machine.reach("udp", "10.0.3.1", 67, "alice")).toMatch(/^refused/);
    });

    test("keeps a container from the server, the VPC, metadata and every private network", async () => {
      for (const line of await reachAll(fromContainer, "alice")) expect(line).toMatch(/: refused/);
    }, 60_000);

    test("keeps containers apart when one sends through the server instead of the bridge", async () => {
      const detour = (action: string) =>
        machine.output(
          `sysctl -q -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.incusbr0.send_redirects=0
           ip -n alice route ${action} 10.0.3.11/32 via 10.0.3.1; ip -n bob route ${action} 10.0.3.10/32 via 10.0.3.1`,
        );
      expect(await machine.reach("tcp", "10.0.3.11", 80, "alice")).toMatch(/^refused/);
      await detour("add");
      expect(await machine.reach("tcp", "10.0.3.11", 80, "alice")).toMatch(/^refused/);
      await machine.output("nft delete table inet containarium");
      const control = await machine.reach("tcp", "10.0.3.11", 80, "alice");
      await machine.output("nft -f /etc/nftables-containarium.conf");
      await detour("delete");
      expect(control).toMatch(/^standin/);
    });

    test("lets another server of the fleet come to containers' port 22, and nobody else to anything of theirs", async () => {
      expect(await machine.reach("tcp", "10.0.3.10", 22, "fleet", "10.64.0.12")).toMatch(/^SSH-2\.0/);
      for (const line of await reachFromElsewhere()) expect(line).toMatch(/: refused/);
    });

    test("lets the fleet, balancers and health checks ask whether the server is ready", async () => {
      for (const own of ["10.64.0.12", "10.64.0.5", "35.191.0.9"]) {
        expect(await machine.reach("tcp", "10.64.0.11", 8022, "fleet", own)).toMatch(/^standin/);
      }
      expect(await machine.reach("tcp", "127.0.0.1", 8022)).toMatch(/^standin/);
    });

    test("is what refuses all this: without it, everything answers", async () => {
      await machine.output("nft delete table inet containarium");
      try {
        for (const line of await reachAll(fromJumpAccount, uid)) expect(line).toMatch(/: (standin|SSH-2\.0)/);
        for (const line of await reachAll(fromContainer, "alice")) expect(line).toMatch(/: (standin|SSH-2\.0)/);
        for (const line of await reachFromElsewhere()) expect(line).toMatch(/: (standin|SSH-2\.0)/);
      } finally {
        await machine.output("nft -f /etc/nftables-containarium.conf");
      }
    }, 60_000);

    test("forgets nobody when it is loaded again, and leaves other tables alone", async () => {
      const before = await machine.targets();
      expect(before.length).toBeGreaterThan(0);
      await machine.output("nft add table inet somebody_else; nft -f /etc/nftables-containarium.conf");
      expect(await machine.targets()).toEqual(before);
      expect(await machine.output("nft list tables; nft delete table inet somebody_else")).toContain("somebody_else");
    });

    test("comes back with the next change after somebody has flushed everything", async () => {
      const before = await machine.targets();
      await machine.output("nft flush ruleset");
      await machine.helper({ op: "account.remove", user: "nobody-here" });
      expect(await machine.targets()).toEqual(before);
    });

    test("lets an administrator open one private address to containers", async () => {
      const file = "/etc/containarium/nftables.d/mirror.nft";
      await machine.output(`echo 'add element inet containarium reachable { 10.20.0.2 }' > ${file}
        nft -f /etc/nftables-containarium.conf; rm ${file}`);
      expect(await machine.reach("tcp", "10.20.0.2", 80, "alice")).toMatch(/^standin/);
      expect(await machine.reach("tcp", "172.16.9.2", 80, "alice")).toMatch(/^refused/);
      await machine.output("nft -f /etc/nftables-containarium.conf");
    });

    test("is there before sshd after a boot: the unit loads it", async () => {
      await machine.output("nft delete table inet containarium; systemctl restart containarium-firewall.service");
      expect((await machine.targets()).length).toBeGreaterThan(0);
      const order = await machine.output("systemctl show -p Before containarium-firewall.service");
      expect(order).toContain("ssh.service");
    });
  });
}
