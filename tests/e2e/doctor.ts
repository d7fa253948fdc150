import { run } from "./clone";
import type { TestFleet } from "./fleet";

interface Check {
  name: string;
  state: string;
  detail: string;
  remedy?: string;
}

/** Things are broken for real, one after the other; doctor names exactly that, and its remedy heals it. */
export function doctor(fleet: TestFleet): void {
  const server = (script: string) => fleet.onServer(["bash", "-c", script]);
  const look = async (user: string) => {
    const { code, stdout, stderr } = await fleet.ops(["doctor", user, "--json"]);
    const { checks = [] } = JSON.parse(stdout || "{}") as { checks?: Check[] };
    expect({ stderr, some: checks.length > 10 }).toEqual({ stderr: "", some: true });
    return { code, failed: checks.filter(({ state }) => state === "failed") };
  };
  const attempts = async (user: string) => {
    const { code, stdout } = await fleet.ops(["verify-access", user, "--json"]);
    const all = (JSON.parse(stdout) as { attempts: { attempt: string; result: string; ok: boolean }[] }).attempts;
    return { code, all, wrong: all.filter(({ ok }) => !ok) };
  };
  const follow = async (remedy = "") => {
    const commands = remedy.split("\n").filter((line) => line.startsWith("  "));
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands.map((line) => line.trim())) {
      const script = ["bash", "-c", command];
      const here = () => run(script, { cwd: fleet.clone, timeoutMs: 300_000 });
      const result = await (command.startsWith("sudo ") ? fleet.onServer(script) : here());
      expect({ command, ...result, code: result.code }).toMatchObject({ code: 0 });
    }
  };

  // It mends accounts and firewall by itself, every half a minute: here the remedies have to. Not while it holds the lock.
  beforeAll(async () => {
    fleet.newKey("doris");
    expect((await fleet.ops(["create", "doris", "--ssh-key", "doris.pub", "--processes", "200"])).code).toBe(0);
    const { code } = await server(`for i in $(seq 100); do systemctl kill -s STOP containarium-fleet.service
      flock -n /run/containarium/host.lock true && exit 0
      systemctl kill -s CONT containarium-fleet.service; sleep 0.1; done; exit 1`);
    expect(code).toBe(0);
  });
  afterAll(async () => {
    await server("systemctl kill -s CONT containarium-fleet.service");
    await fleet.ops(["delete", "doris", "--force"]);
  });

  test("all is well: exit 0, and every attempt of verify-access ends as it must", async () => {
    expect(await look("doris")).toEqual({ code: 0, failed: [] });
    const { code, all, wrong } = await attempts("doris");
    expect({ code, wrong }).toEqual({ code: 0, wrong: [] });
    const tried = all.map(({ attempt }) => attempt).join("\n");
    expect(tried).toMatch(/another container of this server[^]*metadata[^]*\(-R\)[^]*past sshd: [^]*from this machine/);
    expect((await fleet.ops(["doctor", "nobody-here"])).code).toBe(3);
    expect((await fleet.ops(["verify-access", "nobody-here"])).code).toBe(3);
  });

  test.each<[string, string, RegExp, string]>([
    ["firewall", "a table that is gone", /is gone/, "nft delete table inet containarium"],
    ["firewall", "a rule that is gone", /chain from_container/, "nft flush chain inet containarium from_container"],
    ["fail2ban", "a service that is stopped", /does not run/, "systemctl stop fail2ban.service"],
    [
      "fail2ban",
      "bans that do not reach the kernel",
      /does not reach the kernel/,
      "fail2ban-client -q set sshd delaction nftables",
    ],
    [
      "doris: account",
      "a key more at the server",
      /other keys/,
      "sed '1s/doris@laptop/x/;1p' -i /etc/ssh/containarium/authorized_keys.d/doris",
    ],
    ["doris: account", "a shell", /another shell/, "usermod -s /bin/sh doris"],
    ["doris: running", "a container that is stopped", /stopped/, "incus stop -f doris-container"],
    [
      "doris: keys",
      "no key in the container",
      /1 of 1 recorded/,
      "incus exec doris-container -- truncate -s 0 /etc/ssh/authorized_keys.d/doris",
    ],
  ])("%s: %s is found, and the remedy heals it", async (name, _what, detail, breaks) => {
    expect(await server(breaks)).toMatchObject({ code: 0 });
    const { code, failed } = await look("doris");
    expect({ code, failed }).toMatchObject({ code: 1, failed: [{ name, detail: expect.stringMatching(detail) }] });
    expect(failed).toHaveLength(1);
    await follow(failed[0]?.remedy);
    expect(await look("doris")).toEqual({ code: 0, failed: [] });
  });

  test("a container that is full of processes is named; resize --processes makes room while it runs", async () => {
    const config = await fleet.exported("doris");
    const fill = `python3 -c '
import os, time
while True:
    try:
        if os.fork() == 0: time.sleep(600)
    except OSError: print("full", flush=True); time.sleep(600)'`;
    const full = await fleet.ssh(["doris-dev", `(setsid ${fill} & ) | head -1`], config);
    expect(full.stdout).toBe("full\n");
    const { failed } = await look("doris");
    expect(failed).toMatchObject([{ name: "doris: processes", detail: "200 of 200" }]);
    await follow(failed[0]?.remedy);
    expect(await look("doris")).toEqual({ code: 0, failed: [] });
    expect(fleet.config()).toMatch(/processes: 400/);
  });

  test("verify-access: without the kernel's table, what sshd would let past is open", async () => {
    await server("nft delete table inet containarium");
    const { code, wrong } = await attempts("doris");
    await server("nft -f /etc/nftables-containarium.conf");
    expect(code).toBe(1);
    expect(wrong.every(({ attempt }) => attempt.startsWith("past sshd: "))).toBe(true);
    expect(wrong).toContainEqual(expect.objectContaining({ attempt: "past sshd: 127.0.0.1:22, this server's sshd", result: "open" })); // prettier-ignore
  });

  test("an sshd that lets more through: doctor names it, verify-access goes through, the remedy closes it", async () => {
    const drop = "/etc/ssh/sshd_config.d/10-containarium.conf";
    const more = "s/AllowTcpForwarding local/AllowTcpForwarding yes/;s/PermitListen none/PermitListen any/";
    const sockets = "s/AllowStreamLocalForwarding no/AllowStreamLocalForwarding yes/";
    expect(await server(`sed -i '${more};${sockets}' ${drop} && systemctl reload ssh`)).toMatchObject({ code: 0 });
    const { code, wrong } = await attempts("doris");
    const names = wrong.map(({ attempt }) => attempt);
    expect({ code, names }).toEqual({
      code: 1,
      names: ["listen on a port here (-R)", "listen on a unix socket here (-R)", "read a unix socket here (-L)"],
    });
    const { failed } = await look("doris");
    expect(failed).toMatchObject([{ name: "sshd" }]);
    await server("systemctl kill -s CONT containarium-fleet.service");
    await follow(failed[0]?.remedy);
    expect(await attempts("doris")).toMatchObject({ code: 0 });
    expect(await look("doris")).toEqual({ code: 0, failed: [] });
  });
}
