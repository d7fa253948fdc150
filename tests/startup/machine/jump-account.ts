import { Machine, sshCommand } from "./machine";

const UNAVAILABLE = "This account is currently not available.";

/** What sshd lets the holder of a jump account's key do: one thing. `boss`, an ordinary account, shows that the rest
 * would have worked. */
export function describeJumpAccount(machine: Machine): void {
  describe("a jump account's key", () => {
    test("opens the way to its own container, as ProxyJump uses it", async () => {
      const jump = sshCommand(["-W", "%h:%p"]).slice(4).join(" ");
      const inside = ["-o", `ProxyCommand=${jump}`, "-o", "HostName=10.0.3.10", "-T"];
      expect(await machine.ssh(inside, { user: "root" })).toMatchObject({ status: 0, stdout: "inside alice\n" });
    });

    const places: [string, string, RegExp][] = [
      ["another port of its container", "10.0.3.10:80", /^standin/],
      ["another sshd of its container", "10.0.3.10:2222", /^standin/],
      ["somebody else's container", "10.0.3.11:22", /^SSH-2\.0/],
      ["the server itself", "127.0.0.1:22", /^SSH-2\.0/],
      ["the server by name", "localhost:22", /^SSH-2\.0/],
      ["a service of the server", "10.0.3.1:8443", /^standin/],
      ["cloud metadata", "169.254.169.254:80", /^standin/],
      ["the VPC", "10.20.0.2:22", /^standin/],
      ["the internet", "198.51.100.2:80", /^standin/],
      ["its container, spelled as IPv6", "[::ffff:10.0.3.10]:22", /^SSH-2\.0/],
      ["its container, spelled as a number", "167772938:22", /^SSH-2\.0/],
    ];
    test.each(places)("does not open %s (%s)", async (_, place, greeting) => {
      const [refused, control] = await Promise.all([
        machine.ssh(["-W", place]),
        machine.ssh(["-W", place], { user: "boss" }),
      ]);
      expect(control.stdout).toMatch(greeting);
      expect(refused.stdout).toBe("");
      expect(refused.stderr).toContain("administratively prohibited");
      expect(refused.status).not.toBe(0);
    });

    test.each([
      ["a port", "19999:127.0.0.1:80"],
      ["a port on all addresses", "*:19999:127.0.0.1:80"],
      ["any port", "0:127.0.0.1:80"],
      ["a unix socket", "/tmp/listening:127.0.0.1:80"],
      ["a proxy", "19999"],
    ])("does not listen on %s (-R)", async (_, forward) => {
      const flags = ["-o", "ExitOnForwardFailure=yes", "-R", forward];
      const control = await machine.ssh(flags, { user: "boss", command: ["echo", "listening"] });
      expect(control.stdout).toMatch(/listening/);
      await machine.output("rm -f /tmp/listening");
      const refused = await machine.ssh(["-N", ...flags]);
      expect(refused).toMatchObject({ status: 255, stderr: expect.stringMatching(/remote port forwarding failed/) });
      expect(await machine.output("ls /tmp; ss -Hltn sport = 19999")).not.toMatch(/listening|19999/);
    });

    test("does not read a unix socket of the server", async () => {
      const greeting = async (user: string) => {
        const forward = sshCommand(["-N", "-L", "127.0.0.1:17777:/run/standin.socket"], { user });
        const reach = "ip netns exec outside python3 /usr/local/lib/stand-ins/reach.py tcp 127.0.0.1 17777";
        const open = "ip netns exec outside ss -Hltn sport = 17777 | grep -q .";
        const wait = `for i in $(seq 50); do ${open} && break; sleep 0.1; done`;
        return machine.output(`${forward.join(" ")} & ssh=$!; ${wait}; ${reach} || true; kill $ssh; wait || true`);
      };
      expect(await greeting("boss")).toContain("standin unix:/run/standin.socket");
      expect(await greeting("alice")).toContain("refused: closed without an answer");
    });

    test.each([
      ["a shell", [], []],
      ["a command", [], ["id"]],
      ["a command with everything quoted", [], ["';id;'$(id)`id`"]],
      ["a subsystem", ["-s"], ["sftp"]],
      ["environment tricks", ["-o", "SetEnv=LD_PRELOAD=/x BASH_ENV=/x LC_ALL=/x SSH_ORIGINAL_COMMAND=id"], ["id"]],
      ["a display", ["-X"], []],
      ["an agent", ["-A"], []],
    ])("does not give %s", async (_, flags: string[], command: string[]) => {
      const outcome = await machine.ssh(["-T", ...flags], { command });
      expect(outcome.stdout.trim()).toBe(UNAVAILABLE);
      expect(outcome.status).toBe(1);
    });

    test("does not give a terminal", async () => {
      const outcome = await machine.ssh(["-tt"]);
      expect(outcome.stderr).toContain("PTY allocation request failed");
      expect(outcome.status).not.toBe(0);
      expect((await machine.ssh(["-tt"], { user: "boss", command: ["tty"] })).stdout).toContain("/dev/pts");
    });

    test("does not copy files", async () => {
      for (const program of ["sftp -b /dev/null", "scp -O", "scp"]) {
        const options = sshCommand([])
          .slice(5, -1)
          .join(" ")
          .replace("-b 198.51.100.2", "")
          .replace(/ -l \w+/, "");
        const flags = options.replace(/-p (\d+)/, "-P $1");
        const [source, target] = ["alice@198.51.100.1:/etc/hostname", "/tmp/stolen"];
        const where = program.startsWith("sftp") ? "alice@198.51.100.1" : `${source} ${target}`;
        const outcome = await machine.run([
          "bash",
          "-c",
          `ip netns exec outside timeout 20 ${program} ${flags} ${where}`,
        ]);
        expect(outcome.status).not.toBe(0);
        expect(await machine.output("ls /tmp")).not.toContain("stolen");
      }
    });

    test("does not make a tunnel device", async () => {
      const outcome = await machine.ssh(["-N", "-w", "any:any", "-o", "ExitOnForwardFailure=yes"]);
      expect(outcome.status).not.toBe(0);
      expect(await machine.output("ip -br link")).not.toMatch(/\btun\d/);
    });

    test("would give no agent, no display and no environment even to somebody with a shell", async () => {
      await machine.output("usermod --shell /bin/sh alice");
      const flags = ["-A", "-X", "-o", "SetEnv=LD_PRELOAD=/x EVIL=1"];
      const withAgent = async (user: string, port: number) =>
        machine.output(
          `eval $(ssh-agent) >/dev/null; ssh-add -q /usr/local/lib/stand-ins/keys/agent; export DISPLAY=:7; ` +
            `${sshCommand(
              flags.map((flag) => `'${flag}'`),
              { user, port, command: ["env"] },
            ).join(" ")}; kill $SSH_AGENT_PID`,
        );
      try {
        expect(await withAgent("boss", 22)).toContain("SSH_AUTH_SOCK=");
        const environment = await withAgent("alice", 2298);
        expect(environment).toContain("LOGNAME=alice");
        expect(environment).not.toMatch(/SSH_AUTH_SOCK|DISPLAY|LD_PRELOAD|EVIL/);
      } finally {
        await machine.output("usermod --shell /usr/sbin/nologin alice");
      }
    });

    test("is refused with another key, with bob's account, and the probe's key from elsewhere", async () => {
      expect((await machine.ssh(["-W", "10.0.3.10:22"], { key: "other" })).stderr).toContain("Permission denied");
      expect((await machine.ssh(["-W", "10.0.3.11:22"], { user: "bob" })).stderr).toContain("Permission denied");
      await machine.output("cp /srv/containarium/state/probe_ed25519 /usr/local/lib/stand-ins/keys/probe");
      expect((await machine.ssh(["-W", "10.0.3.10:22"], { key: "probe" })).stderr).toContain("Permission denied");
      expect((await machine.ssh(["-W", "10.0.3.10:22"], { user: "root" })).stderr).toContain("Permission denied");
    });

    test("starts no service manager of its own", async () => {
      const forward = sshCommand(["-N", "-L", "127.0.0.1:17778:10.0.3.10:22"]).join(" ");
      const programs = await machine.output(`${forward} & sleep 1; ps -o args= -u alice; kill $!; wait || true`);
      expect(programs).toBe("sshd-session: alice");
    });
  });

  describe("many at once", () => {
    test("sixty people come back in the same second, and none is turned away", async () => {
      const jump = sshCommand(["-W", "10.0.3.10:22"]).join(" ");
      const all = `for i in $(seq 60); do (timeout 60 ${jump} </dev/null 2>/dev/null | head -1) & done; wait`;
      const banners = (await machine.output(all)).split("\n").filter((line) => line.startsWith("SSH-2.0"));
      expect(banners).toHaveLength(60);
    }, 120_000);

    test("a class behind one address survives forty wrong keys", async () => {
      const wrong = sshCommand(["-W", "10.0.3.10:22"], { key: "other", from: "198.51.100.4" }).join(" ");
      await machine.output(`for i in $(seq 40); do (${wrong} </dev/null >/dev/null 2>&1 || true) & done; wait`);
      const right = await machine.ssh(["-W", "10.0.3.10:22"], { from: "198.51.100.4" });
      expect(right.stdout).toMatch(/^SSH-2\.0/);
    }, 120_000);
  });
}
