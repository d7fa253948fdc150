import { Machine, sshCommand } from "./machine";

/** Accounts come and go: on real /etc/passwd, real nftables, killed anywhere, many at once. */
export function describeLifecycle(machine: Machine, key: () => string): void {
  const put = (user: string, last: number) =>
    machine.helper({ op: "account.put", user, keys: [key()], target: `10.0.3.${last}` });
  const remove = (user: string) => machine.helper({ op: "account.remove", user });
  const traces = (user: string) =>
    machine.output(`grep -r '^${user}:' /etc/passwd /etc/shadow /etc/group /etc/subuid /etc/subgid || true
      ls -A /etc/ssh/containarium/authorized_keys.d | grep -F ${user} || true`);
  const foreign = () =>
    machine.output("grep -v ':7[0-9][0-9][0-9][0-9]:' /etc/passwd | sort; ls /home; sort /etc/group");

  describe("jump accounts", () => {
    test("are made without password, home, shell or subordinate ids, and leave no trace", async () => {
      const before = await foreign();
      const { result } = await put("dave", 20);
      expect(result).toMatchObject({ created: true, changed: true });
      const lines = await traces("dave");
      expect(lines).toContain(`/etc/passwd:dave:x:${result.uid}:`);
      expect(lines).toContain(":/:/usr/sbin/nologin");
      expect(lines).toMatch(/shadow:dave:\*:/);
      expect(lines).not.toMatch(/subuid|subgid|group:/);
      expect(await machine.targets()).toContain(`${result.uid} 10.0.3.20`);
      expect((await put("dave", 20)).result).toMatchObject({ created: false, changed: false });
      expect((await remove("dave")).result).toEqual({ removed: true });
      expect(await traces("dave")).toBe("");
      expect((await machine.targets()).join()).not.toContain("10.0.3.20");
      expect((await remove("dave")).result).toEqual({ removed: false });
      expect(await foreign()).toBe(before);
    });

    test.each(["boss", "root", "daemon", "sshd"])("never touch the account %s of somebody else", async (user) => {
      const before = await machine.output("md5sum /etc/passwd /etc/shadow /etc/group; ls -la /home/boss");
      expect((await put(user, 30)).error?.code).toBe("conflict");
      expect((await remove(user)).error?.code).toBe("conflict");
      expect((await machine.helper({ op: "account.check", user })).result).toEqual({ state: "foreign" });
      expect(await machine.output("md5sum /etc/passwd /etc/shadow /etc/group; ls -la /home/boss")).toBe(before);
    });

    test("leave the range of ordinary accounts alone: the next one is not among them", async () => {
      await put("dave", 20);
      const uid = await machine.output("useradd --no-create-home visitor; id -u visitor; userdel visitor");
      expect(Number(uid)).toBeLessThan(60_000);
      await remove("dave");
    });

    test("end with their sessions", async () => {
      await put("erin", 10);
      const session = sshCommand(["-N", "-L", "127.0.0.1:17780:10.0.3.10:22"], { user: "erin" }).join(" ");
      await machine.output(`setsid ${session} </dev/null >/dev/null 2>&1 & sleep 1; pgrep -u erin`);
      expect((await remove("erin")).result).toEqual({ removed: true });
      expect(await machine.output("sleep 0.5; pgrep -fc [1]7780:10.0.3.10 || true")).toBe("0");
    });

    test("may lose their sessions, and nobody else's, and stay", async () => {
      for (const user of ["erin", "gina"]) await put(user, user === "erin" ? 10 : 11);
      const session = (user: string, port: number) => {
        const command = sshCommand(["-N", "-L", `127.0.0.1:${port}:10.0.3.10:22`], { user }).join(" ");
        return machine.output(`setsid ${command} </dev/null >/dev/null 2>&1 & sleep 1; pgrep -u ${user}`);
      };
      await session("erin", 17781);
      await session("gina", 17782);
      const { result } = await machine.helper({ op: "account.endSessions", user: "erin" });
      expect(result).not.toEqual({ ended: 0 });
      expect(await machine.output("sleep 0.5; pgrep -fc [1]7781:10.0.3.10 || true")).toBe("0");
      expect(await machine.output("pgrep -fc [1]7782:10.0.3.10 || true")).not.toBe("0");
      expect(await machine.output("getent passwd erin gina | wc -l")).toBe("2");
      for (const user of ["erin", "gina"]) await remove(user);
    });

    test("many at once, and the same one many times, are made once each", async () => {
      const users = Array.from({ length: 6 }, (_, index) => `many-${index}`);
      const answers = await Promise.all(users.map((user, index) => put(user, 40 + index)));
      expect(new Set(answers.map((answer) => answer.result.uid)).size).toBe(6);
      const same = await Promise.all(Array.from({ length: 4 }, () => put("twin", 50)));
      expect(same.filter((answer) => answer.result.created)).toHaveLength(1);
      expect(await machine.targets()).toHaveLength(6 + 1 + 1);
      await Promise.all([...users, "twin"].map(remove));
      expect(await machine.targets()).toHaveLength(1);
    }, 60_000);

    test("survive kill -9 at any moment: the next run completes it", async () => {
      const request = (op: string) =>
        JSON.stringify({ op, user: "fred", ...(op === "account.put" ? { keys: [key()], target: "10.0.3.60" } : {}) });
      const killed = (op: string, milliseconds: number) =>
        machine.output(
          `timeout -s KILL 0.${String(milliseconds).padStart(3, "0")} containarium-host <<< '${request(op)}' >/dev/null 2>&1 || true`,
        );
      for (let milliseconds = 20; milliseconds <= 240; milliseconds += 20) {
        await killed("account.put", milliseconds);
        expect((await put("fred", 60)).ok).toBe(true);
        expect((await put("fred", 60)).result).toMatchObject({ created: false, changed: false });
        expect((await machine.targets()).filter((line) => line.endsWith(" 10.0.3.60"))).toHaveLength(1);
        await killed("account.remove", milliseconds);
        expect((await remove("fred")).ok).toBe(true);
        expect(await traces("fred")).toBe("");
        expect((await machine.targets()).join()).not.toContain("10.0.3.60");
      }
    }, 120_000);

    test.each([
      ["useradd", "sed -i '/^fred:/d' /etc/shadow"],
      ["userdel", "sed -i '/^fred:/d' /etc/passwd"],
    ])("are mended and removed after %s was killed between its two files", async (_, damage) => {
      for (const finish of ["put", "remove"]) {
        await put("fred", 60);
        await machine.output(damage);
        if (finish === "put") {
          expect((await put("fred", 60)).ok).toBe(true);
          expect(await traces("fred")).toMatch(/passwd:fred:x:[^]*shadow:fred:\*:/);
        }
        expect((await remove("fred")).ok).toBe(true);
        expect(await traces("fred")).toBe("");
      }
    });

    test("wait while somebody else changes accounts", async () => {
      await machine.output(
        "sleep 60 & echo -n $! > /etc/passwd.lock; (sleep 1; rm /etc/passwd.lock) >/dev/null 2>&1 &",
      );
      expect((await put("gina", 61)).ok).toBe(true);
      await remove("gina");
    }, 60_000);

    test("are not held up by a lock from before a power cut", async () => {
      await machine.output(
        "sleep 60 >/dev/null 2>&1 & echo -n $! > /etc/passwd.lock; touch -d '1 hour ago' /etc/passwd.lock",
      );
      expect((await put("gina", 61)).ok).toBe(true);
      await remove("gina");
    }, 60_000);
  });

  test("every line of the sshd block is in force for a jump account, and for nobody else", async () => {
    const effective = async (user: string) =>
      (await machine.output(`sshd -T -C user=${user},host=laptop,addr=198.51.100.2`)).split("\n");
    const block = [
      ...["authenticationmethods publickey", "pubkeyauthentication yes", "passwordauthentication no"],
      ...["kbdinteractiveauthentication no", "hostbasedauthentication no", "authorizedprincipalsfile none"],
      ...["trustedusercakeys none", "gatewayports no", "allowtcpforwarding local", "permitopen *:22"],
      ...["permitlisten none", "allowstreamlocalforwarding no", "allowagentforwarding no", "x11forwarding no"],
      ...["permittunnel no", "permittty no", "permituserrc no", "maxsessions 1", "forcecommand /usr/sbin/nologin"],
      ...["authorizedkeysfile /etc/ssh/containarium/authorized_keys.d/%u", "banner none", "authorizedkeyscommand none"],
    ];
    expect(await effective("alice")).toEqual(expect.arrayContaining(block));
    const ordinary = ["allowtcpforwarding yes", "permittty yes", "forcecommand none", "permitrootlogin no"];
    expect(await effective("boss")).toEqual(expect.arrayContaining(ordinary));
  });

  describe("path.verify", () => {
    test("walks the user's way and says who answers", async () => {
      const answer = await machine.helper({
        op: "path.verify",
        user: "alice",
        target: "10.0.3.10",
        timeoutSeconds: 10,
      });
      expect(answer.result.banner).toMatch(/^SSH-2\.0-OpenSSH/);
      const own = await machine.output("cut -d' ' -f1,2 /etc/ssh/stand-in-alice-key.pub");
      expect(answer.result.hostKeys).toEqual([own]);
    });

    test.each([
      ["nobody answers there", "10.0.3.77", /10\.0\.3\.77/],
      ["the account may not go there", "10.0.3.11", /prohibited/],
    ])("fails when %s", async (_, target, reason) => {
      const answer = await machine.helper({ op: "path.verify", user: "alice", target, timeoutSeconds: 2 });
      expect(answer.error).toMatchObject({ code: "failed", message: expect.stringMatching(reason) });
    });

    test("does not wait for TCP's own second when a container that boots did not hear the first question", async () => {
      const verify = JSON.stringify({ op: "path.verify", user: "alice", target: "10.0.3.10", timeoutSeconds: 10 });
      const took = async () => {
        const deaf = "tcp dport 22 tcp flags syn / syn,ack quota until 121 bytes drop";
        await machine.output(
          `ip netns exec alice nft 'table ip deaf { chain in { type filter hook input priority 0; ${deaf}; }; }'`,
        );
        try {
          const timed = `time /usr/local/sbin/containarium-host >/run/verified <<< '${verify}'`;
          const seconds = Number(
            await machine.output(`TIMEFORMAT=%R; { ${timed}; } 2>&1; grep -q SSH-2.0 /run/verified`),
          );
          expect(await machine.output("ip netns exec alice nft list table ip deaf")).toMatch(
            /used (1[2-9]|[2-9])\d\d? /,
          );
          return seconds;
        } finally {
          await machine.output("ip netns exec alice nft delete table ip deaf");
        }
      };
      // A machine that is busy may be slow at times, but a whole second it is always that TCP waits.
      const times: number[] = [];
      while (times.length < 10 && Math.min(...times) > 0.9) times.push(await took());
      expect(Math.min(...times)).toBeLessThan(0.9);
    });

    test("fails when the firewall lost the account, although sshd would let it through", async () => {
      await machine.output("nft flush set inet containarium jump_targets");
      const verify = { op: "path.verify", user: "alice", target: "10.0.3.10", timeoutSeconds: 2 };
      expect((await machine.helper(verify)).error?.code).toBe("failed");
      await machine.output("nft -f /etc/nftables-containarium.conf");
      expect((await machine.helper(verify)).ok).toBe(true);
    });

    test("knows nobody of that name", async () => {
      const answer = await machine.helper({ op: "path.verify", user: "nemo", target: "10.0.3.10", timeoutSeconds: 2 });
      expect(answer.error?.code).toBe("not-found");
    });
  });

  describe("rebuild", () => {
    test("on a new boot disk gives everybody the account, the key and the address that Incus knows", async () => {
      const people = ["alice", "bob", "carol"].map((user, index) => ({
        name: `${user}-container`,
        config: { "user.containarium.user": user, "user.containarium.keys": JSON.stringify([key()]) },
        devices: { eth0: { "ipv4.address": `10.0.3.${10 + index}` } },
      }));
      await put("orphan", 99);
      await machine.output(`mkdir -p /var/lib/incus; cat > /tmp/instances.json <<'JSON'\n${JSON.stringify(people)}\nJSON
        setsid python3 /usr/local/lib/stand-ins/fake_incus.py /var/lib/incus/unix.socket /tmp/instances.json >/tmp/fake.log 2>&1 </dev/null &
        for i in $(seq 50); do grep -q ready /tmp/fake.log && break; sleep 0.1; done`);
      const first = await machine.helper({ op: "rebuild" });
      expect(first.result).toMatchObject({ accounts: 3, removed: 1, skipped: [] });
      expect((await machine.helper({ op: "rebuild" })).result).toMatchObject({ accounts: 3, changed: 0, removed: 0 });

      await machine.output(`for user in alice bob carol; do userdel $user; done; nft delete table inet containarium
        rm -r /etc/ssh/containarium /etc/containarium/nftables.d/jump-targets.nft; groupdel containarium-jump`);
      expect((await machine.helper({ op: "rebuild" })).result).toMatchObject({ accounts: 3, changed: 3, removed: 0 });
      expect(await machine.targets()).toHaveLength(3);
      expect((await machine.ssh(["-W", "10.0.3.10:22"])).stdout).toMatch(/^SSH-2\.0/);
      expect((await machine.helper({ op: "server.status" })).result).toMatchObject({
        ready: true,
        startupHash: "applied",
        accounts: 3,
        pool: { totalBytes: 42, usedBytes: 7 },
      });
      await machine.output("pkill -f [f]ake_incus.py");
    }, 60_000);

    test("changes nothing while Incus is down", async () => {
      const before = await machine.output("md5sum /etc/passwd /etc/ssh/containarium/authorized_keys.d/*");
      expect((await machine.helper({ op: "rebuild" })).error?.message).toContain("Incus");
      expect(await machine.output("md5sum /etc/passwd /etc/ssh/containarium/authorized_keys.d/*")).toBe(before);
      for (const user of ["bob", "carol"]) await remove(user);
    });
  });
}
