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
    // Also after a failure in the middle.
    await server(`systemctl kill -s CONT containarium-fleet.service
      install -m 0644 /usr/local/lib/containarium/sshd-containarium.conf /etc/ssh/sshd_config.d/10-containarium.conf
      systemctl reload ssh; systemctl restart fail2ban; nft -f /etc/nftables-containarium.conf`);
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
    const fill = `
import os, time
while True:
    try:
        if os.fork() == 0: time.sleep(600)
    except OSError: time.sleep(600)`;
    const service = ["systemd-run", "-q", "-p", "TasksMax=infinity", "--unit", "fill", "python3", "-c", fill];
    await fleet.onServer(["incus", "exec", "doris-container", "--", ...service]);
    const count = "incus query /1.0/instances/doris-container/state | grep -oP '\"processes\": *\\K\\d+'";
    const full = await server(`for i in $(seq 100); do [ $(${count}) -ge 195 ] && exit 0; sleep 0.2; done; exit 1`);
    expect(full.code).toBe(0);
    const { failed } = await look("doris");
    expect(failed).toMatchObject([{ name: "doris: processes", detail: expect.stringMatching(/ of 200$/) }]);
    await follow(failed[0]?.remedy);
    expect(fleet.config()).toMatch(/processes: 400/);
    await server("incus exec doris-container -- systemctl stop fill");
    expect(await look("doris")).toEqual({ code: 0, failed: [] });
  });

  test("verify-access: without the kernel's table, what sshd would let past is open", async () => {
    await server("nft delete table inet containarium");
    const { code, wrong } = await attempts("doris");
    await server("nft -f /etc/nftables-containarium.conf");
    expect(code).toBe(1);
    expect(wrong.every(({ attempt }) => attempt.startsWith("past sshd: "))).toBe(true);
    expect(wrong).toContainEqual(expect.objectContaining({ attempt: "past sshd: 127.0.0.1:22, this server's sshd", result: "open" })); // prettier-ignore
  });

  test("an sshd and a key that open more: doctor names both, verify-access goes through, the remedies close it", async () => {
    const breaks = `sed -i 's/PermitOpen .*/PermitOpen any/;s/AllowTcpForwarding local/AllowTcpForwarding yes/;
      s/PermitListen none/PermitListen any/;s/AllowStreamLocalForwarding no/AllowStreamLocalForwarding yes/' \
      /etc/ssh/sshd_config.d/10-containarium.conf && systemctl reload ssh
      sed -i '/^from=/s/,permitopen="[^"]*"//' /etc/ssh/containarium/authorized_keys.d/doris`;
    expect(await server(breaks)).toMatchObject({ code: 0 });
    const { code, all, wrong } = await attempts("doris");
    expect(code).toBe(1);
    const forwards = all.filter(({ attempt }) => /^open |\(-[LR]\)$/.test(attempt)).slice(1);
    expect(wrong).toEqual(forwards);
    const came = new Set(wrong.map(({ result }) => result));
    expect([...came].sort()).toEqual(["let through by sshd, not by the kernel", "open"]);
    const { failed } = await look("doris");
    expect(failed.map(({ name }) => name)).toEqual(["sshd", "doris: account"]);
    await follow(failed[1]?.remedy);
    await server("systemctl kill -s CONT containarium-fleet.service");
    await follow(failed[0]?.remedy);
    expect(await attempts("doris")).toMatchObject({ code: 0 });
    expect(await look("doris")).toEqual({ code: 0, failed: [] });
  });
}
