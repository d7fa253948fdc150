import { Machine, sshCommand } from "./machine";

/** fail2ban as we configure it: bans are looked for in what really happens to connections, not in fail2ban's list. */
export function describeBans(machine: Machine): void {
  const attacker = "198.51.100.3";
  const attack = (times: number) => {
    const guess = sshCommand(["-W", "10.0.3.10:22"], { user: "oracle", key: "other", from: attacker }).join(" ");
    return machine.output(`for i in $(seq ${times}); do ${guess} </dev/null >/dev/null 2>&1 || true; done`);
  };
  const jumpFrom = async (from: string) => (await machine.ssh(["-W", "10.0.3.10:22"], { from })).stdout;
  const waitForBan = (wanted: boolean, seconds: number) =>
    machine.output(`for i in $(seq ${seconds * 5}); do
      nft list set inet f2b-table addr-set-sshd 2>/dev/null | grep -qF ${attacker} && found=true || found=false
      [ $found = ${wanted} ] && [ ${wanted} = true ] && break; sleep 0.2; done; echo $found`);

  describe("fail2ban", () => {
    beforeAll(async () => {
      // A minimal system has no /etc/services; a ban of the port named ssh would then block nothing.
      await machine.output("mv /etc/services /etc/services.away; systemctl start fail2ban.service");
      await machine.output("for i in $(seq 100); do fail2ban-client ping >/dev/null 2>&1 && break; sleep 0.1; done");
    }, 30_000);
    afterAll(async () => {
      await machine.output("mv /etc/services.away /etc/services; fail2ban-client unban --all; systemctl stop fail2ban");
    });

    test("counts nothing while the server comes up and does not know its users yet", async () => {
      await machine.output("mv /run/containarium/ready /run/containarium/not-ready");
      await attack(12);
      expect(await waitForBan(true, 3)).toBe("false");
      await machine.output("mv /run/containarium/not-ready /run/containarium/ready");
    }, 60_000);

    test("bans an address that guesses names; the kernel refuses it, and only it, and nobody is thrown out", async () => {
      const session = sshCommand(["-N", "-L", "127.0.0.1:17779:10.0.3.10:22"], { from: attacker }).join(" ");
      await machine.output(`setsid ${session} </dev/null >/dev/null 2>&1 & sleep 1`);
      await attack(11);
      expect(await waitForBan(true, 15)).toBe("true");
      expect(await jumpFrom(attacker)).toBe("");
      expect(await jumpFrom("198.51.100.2")).toMatch(/^SSH-2\.0/);
      const inside = "ip netns exec outside python3 /usr/local/lib/stand-ins/reach.py tcp 127.0.0.1 17779";
      expect(await machine.output(inside)).toMatch(/^SSH-2\.0/);
      await machine.output("pkill -f [1]7779:10.0.3.10 || true");
    }, 90_000);

    test("remembers the ban on the data disk", async () => {
      await machine.output("systemctl restart fail2ban.service");
      expect(await waitForBan(true, 15)).toBe("true");
      expect(await machine.output("ls /srv/containarium/state")).toContain("fail2ban.sqlite3");
      await machine.output(`fail2ban-client unban ${attacker}`);
      expect(await jumpFrom(attacker)).toMatch(/^SSH-2\.0/);
    }, 60_000);

    test("does not count the wrong key of somebody who exists: a class shares its address", async () => {
      const wrong = sshCommand(["-W", "10.0.3.10:22"], { key: "other", from: attacker }).join(" ");
      await machine.output(`for i in $(seq 12); do ${wrong} </dev/null >/dev/null 2>&1 || true; done`);
      expect(await waitForBan(true, 3)).toBe("false");
    }, 60_000);
  });
}
