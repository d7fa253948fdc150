import { writeFileSync } from "node:fs";

import { run, stack } from "./clone";
import type { TestFleet } from "./fleet";
import { expectNoChanges } from "./people";

export function moreServers(fleet: TestFleet): void {
  const second = `${stack}-jump-2`;

  test("quickstart --servers 2 adds a server and touches nobody", async () => {
    const before = await fleet.list();
    const result = await fleet.quickstart("--servers", "2");
    expect({ code: result.code, said: result.code === 0 ? "" : result.stdout + result.stderr }).toEqual({
      code: 0,
      said: "",
    });
    expect(await fleet.list()).toEqual(before);
  });

  test("somebody on the second server logs in there", async () => {
    fleet.newKey("frank");
    const created = await fleet.ops(["create", "frank", "--ssh-key", "frank.pub", "--server", "jump-2", "--json"]);
    expect(JSON.parse(created.stdout).containers[0]).toMatchObject({ server: "jump-2", status: "running" });
    expect(JSON.parse(created.stdout).containers[0].ip).toMatch(/^10\.0\.4\./);
    expect((await fleet.ssh(["frank-dev", "whoami"], await fleet.exported("frank"))).stdout).toBe("frank\n");
    await expectNoChanges(fleet);
  });

  test("doctor and verify-access go to every server, also for somebody who lives on another", async () => {
    const looked = await fleet.ops(["doctor", "frank"]);
    expect(looked.stdout).toMatch(/✓ jump-1 hears jump-2 [^]*✓ jump-1 frank: way in [^]*✓ jump-2 frank: way in /);
    expect(looked.code).toBe(0);
    const tried = await fleet.ops(["verify-access", "frank"]);
    expect(tried.stdout).toMatch(
      /jump-1 +open \S+, another container of this server [^]*jump-2 +open \S+, another container on jump-1/,
    );
    expect({ code: tried.code, said: tried.code === 0 ? "" : tried.stdout + tried.stderr }).toEqual({
      code: 0,
      said: "",
    });
  });

  test("a dead server is no reason to forget its people, and nobody else notices", async () => {
    await run(["incus", "delete", "-f", second], { cwd: fleet.clone });
    const listed = await fleet.ops(["list", "--json"]);
    expect(listed.code).toBe(8);
    expect(JSON.parse(listed.stdout).containers.map(({ user }: { user: string }) => user)).toContain("alice");
    expect(listed.stderr).toMatch(/jump-2/);
    const looked = await fleet.ops(["doctor"]);
    expect([looked.code, looked.stdout.match(/^✗.*/gm)]).toEqual([6, [expect.stringMatching(/^✗ jump-2 SSH /)]]);
    expect((await fleet.ssh(["alice-dev", "whoami"])).stdout).toBe("alice\n");
    expect((await fleet.pulumi("refresh", "--yes", "--skip-preview")).code).toBe(0);
    expect((await fleet.pulumi("up", "--yes", "--skip-preview")).code).toBe(0);
    expect((await fleet.ssh(["frank-dev", "whoami"], `${fleet.clone}/frank.conf`)).stdout).toBe("frank\n");
    await expectNoChanges(fleet);
  });

  test("a server with people on it is not removed", async () => {
    const config = fleet.config();
    writeFileSync(fleet.configFile, config.replace(/^( +)- 2\n/m, ""));
    const { code, stdout, stderr } = await fleet.pulumi("up", "--yes", "--skip-preview");
    writeFileSync(fleet.configFile, config);
    expect(stdout + stderr).toMatch(/frank names the server jump-2/);
    expect(code).not.toBe(0);
    expect((await fleet.ssh(["frank-dev", "whoami"], `${fleet.clone}/frank.conf`)).stdout).toBe("frank\n");
  });
}
