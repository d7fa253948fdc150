import { writeFileSync } from "node:fs";
import * as path from "node:path";

import { openConfig } from "../../scripts/quickstart/stack";
import { until } from "../until";
import { run, stack, succeed } from "./clone";
import type { TestFleet } from "./fleet";
import { expectNoChanges } from "./people";

/** One address, three servers, a person on each; then servers die, come back and join. */
export function balanced(fleet: TestFleet): void {
  const people = { ursel: 1, victor: 2, wanda: 3 };
  const users = Object.keys(people);
  const servers = [1, 2, 3];
  const addresses: Record<string, string> = {};
  const configs: Record<string, string> = {};

  const whoami = (user: string, config: string) => fleet.ssh([`${user}-dev`, "whoami"], config);
  /** Through that server and no other. */
  const through = async (user: string, server: number) =>
    whoami(user, await fleet.exported(user, fleet.addressOf(server)));
  const readyz = (server: number) =>
    run(["curl", "-s", "-m", "3", "-w", " %{http_code}", `http://${fleet.addressOf(server)}:8022/readyz`], {
      cwd: "/",
    });
  const isReady = async (server: number) => (await readyz(server)).stdout === "ready\n 200";
  const up = async () => {
    const { code, stdout, stderr } = await fleet.pulumi("up", "--yes", "--skip-preview");
    expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
    return stdout;
  };
  const configure = (values: Record<string, unknown>) => {
    const config = openConfig(fleet.configFile);
    for (const [key, value] of Object.entries(values)) config.set(key, value);
    config.save();
  };
  const inventory = async () =>
    JSON.parse((await fleet.pulumi("stack", "output", "inventory", "--json")).stdout) as {
      balancer?: { address: string; port: number };
      servers: { name: string; address: string; hostKeys: string[] }[];
    };

  test("quickstart --servers 3 --balancer: one address, and the people who were there stay as they were", async () => {
    const before = await fleet.list();
    const result = await fleet.quickstart("--servers", "3", "--balancer");
    expect({ code: result.code, said: result.code === 0 ? "" : result.stdout + result.stderr }).toEqual({
      code: 0,
      said: "",
    });
    expect(await fleet.list()).toEqual(before);
    expect((await inventory()).balancer).toEqual({ address: fleet.balancerAddress, port: 22 });
    expect(await Promise.all(servers.map(isReady))).toEqual([true, true, true]);
    await expectNoChanges(fleet);
  });

  test("three people on three servers, each with one exported file that names no server", async () => {
    for (const [user, server] of Object.entries(people)) {
      fleet.newKey(user);
      const created = await fleet.ops(["create", user, "--ssh-key", `${user}.pub`, "--server", `jump-${server}`, "--json"]); // prettier-ignore
      expect({ code: created.code, said: created.code === 0 ? "" : created.stderr }).toEqual({ code: 0, said: "" });
      addresses[user] = JSON.parse(created.stdout).containers[0].ip;
      expect(addresses[user]).toMatch(new RegExp(`^10\\.0\\.${2 + server}\\.`));
      configs[user] = await fleet.exported(user);
      const config = await succeed(["cat", configs[user], `${configs[user]}.known_hosts`], { cwd: "/" });
      expect(config.stdout).toContain(`HostName ${fleet.balancerAddress}\n`);
      expect(config.stdout.match(/^containarium-jump ssh-ed25519 /gm)).toHaveLength(3);
    }
  });

  test("all arrive through the one address, and more than one server answers there", async () => {
    const rounds = users.flatMap((user) => [user, user, user]);
    const said = await Promise.all(rounds.map(async (user) => (await whoami(user, configs[user]!)).stdout));
    expect(said).toEqual(rounds.map((user) => `${user}\n`));
    const accepted = await Promise.all(
      servers.map(
        (server) =>
        fleet.on(`jump-${server}`, ["sh", "-c", `journalctl -u ssh -o cat | grep -c "Accepted publickey for .* from ${fleet.balancerAddress} "`]), // prettier-ignore
      ),
    );
    expect(accepted.filter(({ stdout }) => Number(stdout) > 0).length).toBeGreaterThan(1);
  });

  test("a server that says it is not ready is sent nobody, and nobody notices", async () => {
    const accepted = async () =>
      Number((await fleet.on("jump-2", ["sh", "-c", 'journalctl -u ssh -o cat | grep -c "Accepted publickey"'])).stdout); // prettier-ignore
    await fleet.on("jump-2", ["touch", "/run/containarium/draining"]);
    await until(async () => (await readyz(2)).stdout === "draining\n 503", 30, "jump-2 to say so");
    const lastWord = ["sh", "-c", "journalctl -u haproxy -o cat | grep 'ready/jump-2 is' | tail -n 1"];
    await until(async () => (await fleet.on("balancer", lastWord)).stdout.includes("is DOWN"), 30, "the balancer to notice"); // prettier-ignore
    const before = await accepted();
    const said = await Promise.all(Array.from({ length: 9 }, () => whoami("victor", configs["victor"]!)));
    expect(said.map(({ stdout }) => stdout)).toEqual(Array(9).fill("victor\n"));
    expect(await accepted()).toBe(before);
    await fleet.on("jump-2", ["rm", "/run/containarium/draining"]);
    await until(() => isReady(2), 30, "jump-2 to be ready again");
    await until(
      async () => {
        await Promise.all(users.map((user) => whoami(user, configs[user]!)));
        return (await accepted()) > before;
      },
      30,
      "jump-2 to be sent people again",
    );
  });

  test("the balancer's address is banned by no server, and pays no penalties: everybody comes from it", async () => {
    for (const server of servers) {
      const { stdout } = await fleet.on(`jump-${server}`, ["sh", "-c", "sshd -T | grep -i exempt; cat /etc/fail2ban/jail.d/containarium.local"]); // prettier-ignore
      const address = fleet.balancerAddress.replaceAll(".", "\\.");
      expect(stdout).toMatch(new RegExp(`persourcepenaltyexemptlist .*\\b${address}\\b`, "i"));
      expect(stdout).toMatch(new RegExp(`ignoreip = .* ${address}\\b`));
    }
  });

  test.each(users.flatMap((user) => servers.map((server): [string, number] => [user, server])))(
    "%s arrives through jump-%i",
    async (user, server) => {
      expect((await through(user, server)).stdout).toBe(`${user}\n`);
    },
  );

  test.each(servers)(
    "through jump-%i nobody opens anything of anybody else's, nor the servers themselves",
    async (server) => {
      const config = await fleet.exported("ursel", fleet.addressOf(server));
      const open = (place: string) => fleet.ssh(["-W", place, "ursel-jump"], config);
      expect((await open(`${addresses["ursel"]}:22`)).stdout).toMatch(/^SSH-2\.0/);
      const places = [
        ...["victor", "wanda"].flatMap((user) => [`${addresses[user]}:22`, `${addresses[user]}:80`]),
        `${addresses["ursel"]}:80`,
        "127.0.0.1:22",
        "127.0.0.1:8022",
        ...servers.flatMap((other) => [`${fleet.addressOf(other)}:22`, `${fleet.addressOf(other)}:8022`]),
      ];
      for (const place of places) {
        const { stdout, stderr, code } = await open(place);
        expect({ place, stdout }).toEqual({ place, stdout: "" });
        expect(stderr).toMatch(/administratively prohibited/);
        expect(code).not.toBe(0);
      }
    },
  );

  test.each(servers)("and on jump-%i the kernel refuses it as well, where sshd would not", async (server) => {
    const uid = (await fleet.on(`jump-${server}`, ["id", "-u", "ursel"])).stdout.trim();
    const connect = (place: string) =>
      fleet.on(`jump-${server}`, ["timeout", "5", "setpriv", "--reuid", uid, "--clear-groups", "bash", "-c", `</dev/tcp/${place.replace(":", "/")}`]); // prettier-ignore
    expect((await connect(`${addresses["ursel"]}:22`)).code).toBe(0);
    for (const place of [`${addresses["victor"]}:22`, `${addresses["wanda"]}:22`, "127.0.0.1:8022"]) {
      expect({ place, code: (await connect(place)).code }).not.toEqual({ place, code: 0 });
    }
  });

  test("the ways between the servers are for servers: no container uses them, nor the service of any server", async () => {
    const fromContainer = (place: string) =>
      fleet.ssh(["ursel-dev", `sudo -n timeout 3 bash -c '</dev/tcp/${place.replace(":", "/")}' 2>/dev/null`], configs["ursel"]); // prettier-ignore
    const places = [
      `${addresses["victor"]}:22`,
      `${addresses["wanda"]}:22`,
      ...servers.flatMap((server) => [`${fleet.addressOf(server)}:22`, `${fleet.addressOf(server)}:8022`]),
      "10.0.3.1:8022",
      `${fleet.balancerAddress}:22`,
    ];
    for (const place of places)
      expect({ place, code: (await fromContainer(place)).code }).toEqual({ place, code: 124 });
    // It is the firewall that refuses: without it, all of this is open. The service puts it back, so it stands still.
    await fleet.on("jump-1", ["systemctl", "kill", "-s", "STOP", "containarium-fleet.service"]);
    await fleet.on("jump-1", ["nft", "delete", "table", "inet", "containarium"]);
    const open = [];
    for (const place of places) open.push({ place, code: (await fromContainer(place)).code });
    await fleet.on("jump-1", ["nft", "-f", "/etc/nftables-containarium.conf"]);
    await fleet.on("jump-1", ["systemctl", "kill", "-s", "CONT", "containarium-fleet.service"]);
    await until(() => isReady(1), 30, "jump-1 to be ready");
    expect(open).toEqual(places.map((place) => ({ place, code: 0 })));
  });

  test("what is no server does not come to the containers, even where it knows the way", async () => {
    const subnet = addresses["victor"]!.replace(/\.\d+$/, ".0/24");
    const connect = ["timeout", "3", "bash", "-c", `</dev/tcp/${addresses["victor"]}/22`];
    await fleet.on("balancer", ["ip", "route", "add", subnet, "via", fleet.addressOf(2)]);
    const refused = await fleet.on("balancer", connect);
    await fleet.on("balancer", ["ip", "route", "del", subnet]);
    expect(refused.code).not.toBe(0);
    expect((await fleet.on("jump-3", connect)).code).toBe(0);
    // Not only port 22 is meant by "the way": nothing else of a container is open to another server.
    await fleet.ssh(["victor-dev", "sudo -n sh -c 'setsid python3 -m http.server 80 >/dev/null 2>&1 &'"], configs["victor"]); // prettier-ignore
    const web = ["timeout", "3", "bash", "-c", `</dev/tcp/${addresses["victor"]}/80`];
    await until(async () => (await fleet.on("jump-2", web)).code === 0, 30, "victor's web server");
    expect((await fleet.on("jump-3", web)).code).not.toBe(0);
  });

  test("a server that is shut down in order says so while it still lets people in: balancers have time to notice", async () => {
    await fleet.on("jump-2", ["systemctl", "poweroff", "--no-block"]);
    await until(async () => (await readyz(2)).stdout === "draining\n 503", 10, "jump-2 to say that it drains");
    const banner = await run(["timeout", "3", "bash", "-c", `head -c 4 </dev/tcp/${fleet.addressOf(2)}/22`], {
      cwd: "/",
    });
    expect(banner.stdout).toBe("SSH-");
    await until(async () => /STOPPED/.test((await run(["incus", "list", "-f", "csv", "-c", "s", `${stack}-jump-2`], { cwd: "/" })).stdout), 90, "its end"); // prettier-ignore
    // It says STOPPED a moment before it may be started again.
    const start = () => run(["incus", "start", `${stack}-jump-2`], { cwd: "/" });
    await until(async () => (await start()).code === 0, 60, "its start");
    await until(() => isReady(2), 240, "jump-2 to be ready");
    expect((await through("victor", 2)).stdout).toBe("victor\n");
  });

  test("one server dies: the people of the others are in again within 15 s, through the same address", async () => {
    await run(["incus", "stop", "--force", `${stack}-jump-3`], { cwd: "/" });
    const died = Date.now();
    for (const user of ["ursel", "victor"]) {
      await until(async () => (await whoami(user, configs[user]!)).stdout === `${user}\n`, 15, `${user}'s login`);
    }
    expect(Date.now() - died).toBeLessThan(15_000);
    // And stay so: nobody is sent to the dead one any more.
    const said = await Promise.all(Array.from({ length: 6 }, () => whoami("ursel", configs["ursel"]!)));
    expect(said.map(({ stdout }) => stdout)).toEqual(Array(6).fill("ursel\n"));
    expect((await whoami("wanda", configs["wanda"]!)).code).not.toBe(0);
  });

  test("who was made while a server was dead is known to it when it is back, and so is everybody", async () => {
    const { servers: known } = await inventory();
    const one = known.find(({ name }) => name === "jump-1")!;
    writeFileSync(path.join(fleet.clone, "jump-1.known_hosts"), `${one.address} ${one.hostKeys[0]}\n`);
    fleet.newKey("xaver");
    // The stack's `create` asks all servers whether anybody has an xaver, and one of them cannot say.
    const host = ["--host", `admin@${one.address}`, "--identity", ".containarium/admin_key", "--known-hosts", "jump-1.known_hosts"]; // prettier-ignore
    const created = await fleet.ops(["create", "xaver", "--ssh-key", "xaver.pub", ...host], { stack: false });
    expect({ code: created.code, said: created.code === 0 ? "" : created.stderr }).toEqual({ code: 0, said: "" });

    expect((await run(["incus", "start", `${stack}-jump-3`], { cwd: "/" })).code).toBe(0);
    await until(() => isReady(3), 240, "jump-3 to be ready");
    // Ready means that it knows: nothing is waited for any more.
    const config = await fleet.exported("xaver", fleet.addressOf(3));
    expect(await whoami("xaver", config)).toMatchObject({ stdout: "xaver\n", stderr: "" });
    for (const user of users) expect(await through(user, 3)).toMatchObject({ stdout: `${user}\n`, stderr: "" });
    await until(async () => (await whoami("wanda", configs["wanda"]!)).stdout === "wanda\n", 60, "wanda's login");
  });

  test("somebody who is deleted is refused everywhere, by the time that the command ends", async () => {
    const ways = await Promise.all(servers.map((server) => fleet.exported("xaver", fleet.addressOf(server))));
    expect((await fleet.ops(["delete", "xaver", "--force"])).code).toBe(0);
    for (const way of ways) {
      const { code, stderr } = await whoami("xaver", way);
      expect(stderr).toMatch(/Permission denied/);
      expect(code).toBe(255);
    }
    for (const server of servers) {
      expect((await fleet.on(`jump-${server}`, ["id", "xaver"])).code).not.toBe(0);
    }
  });

  test("a key that pulumi up takes away is refused everywhere within seconds, and the new one is taken", async () => {
    const ways = await Promise.all(servers.map((server) => fleet.exported("victor", fleet.addressOf(server))));
    const old = (await succeed(["cat", "victor.pub"], { cwd: fleet.clone })).stdout.trim();
    await succeed(["mv", "victor", "victor-old"], { cwd: fleet.clone });
    await succeed(["mv", "victor.pub", "victor-old.pub"], { cwd: fleet.clone });
    fleet.newKey("victor");
    const key = (await succeed(["cat", "victor.pub"], { cwd: fleet.clone })).stdout.trim();
    writeFileSync(fleet.configFile, fleet.config().replace(old, key));
    await up();
    const open = (way: string) => fleet.ssh(["-W", `${addresses["victor"]}:22`, "victor-jump"], way);
    for (const way of ways) {
      await until(async () => (await open(way)).stdout.startsWith("SSH-2.0"), 30, "the new key to be taken");
      const lost = await succeed(["sed", "s|/victor$|/victor-old|", way], { cwd: fleet.clone });
      writeFileSync(`${way}.lost`, lost.stdout);
      expect((await open(`${way}.lost`)).stderr).toMatch(/Permission denied/);
    }
    expect((await whoami("victor", configs["victor"]!)).stdout).toBe("victor\n");
  });

  test("a new server joins beside the balancer: everybody works through it; nobody's old file leads to it", async () => {
    configure({ servers: [...servers, 4], outOfBalancer: [4] });
    await up();
    expect(await isReady(4)).toBe(true);
    for (const user of users) expect((await through(user, 4)).stdout).toBe(`${user}\n`);
    const said = await Promise.all(Array.from({ length: 8 }, () => whoami("ursel", configs["ursel"]!)));
    expect(said.map(({ stdout }) => stdout)).toEqual(Array(8).fill("ursel\n"));

    // Everybody has a new file now: it may take part.
    configure({ outOfBalancer: [] });
    const changes = await up();
    expect(changes).toMatch(/LocalBalancer\s+balancer\s+updated/);
    expect(changes).not.toMatch(/LocalMachine\s+jump-\d\s+updated/);
    const fresh = await fleet.exported("ursel");
    const again = await Promise.all(Array.from({ length: 8 }, () => whoami("ursel", fresh)));
    expect(again.map(({ stdout }) => stdout)).toEqual(Array(8).fill("ursel\n"));
  });

  test("a server leaves, and the balancer goes: nobody else is touched", async () => {
    configure({ servers, loadBalancer: false });
    const changes = await up();
    expect(changes).toMatch(/LocalBalancer\s+balancer\s+deleted/);
    expect(changes).not.toMatch(/LocalMachine\s+jump-[123]\s+updated/);
    expect((await inventory()).balancer).toBeUndefined();
    configs["wanda"] = await fleet.exported("wanda");
    const config = await succeed(["cat", configs["wanda"]], { cwd: "/" });
    expect(config.stdout).toContain("HostKeyAlias jump-3\n");
    expect((await whoami("wanda", configs["wanda"])).stdout).toBe("wanda\n");
    await expectNoChanges(fleet);
  });
}
