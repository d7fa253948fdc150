import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import type { TestFleet } from "./fleet";
import { expectNoChanges } from "./people";

export function pulumiUp(fleet: TestFleet): void {
  test("on an unchanged stack changes nothing", () => expectNoChanges(fleet));

  test("makes a person who is in the config alone: the same container as the CLI's", async () => {
    fleet.newKey("carol");
    const key = readFileSync(path.join(fleet.clone, "carol.pub"), "utf8").trim();
    const config = fleet.config();
    writeFileSync(
      fleet.configFile,
      config.replace(/containarium:containers:\n/, `$&    - user: carol\n      sshKeys:\n        - ${key}\n`),
    );
    const up = await fleet.pulumi("up", "--yes", "--skip-preview");
    expect({ code: up.code, said: up.code === 0 ? "" : up.stdout + up.stderr }).toEqual({ code: 0, said: "" });
    expect((await fleet.ssh(["carol-dev", "whoami"], await fleet.exported("carol"))).stdout).toBe("carol\n");
    const { carol, alice } = Object.fromEntries((await fleet.list()).map((one) => [one.user, one]));
    for (const field of ["status", "image", "cpu", "memory", "diskQuota", "autostart", "docker"] as const) {
      expect(carol?.[field]).toEqual(alice?.[field]);
    }
    await expectNoChanges(fleet);
  });

  test("a changed limit in the config reaches the running container", async () => {
    writeFileSync(
      fleet.configFile,
      fleet.config().replace("    - user: carol\n", "    - user: carol\n      memory: 2GiB\n"),
    );
    expect((await fleet.pulumi("up", "--yes", "--skip-preview")).code).toBe(0);
    expect((await fleet.list()).find(({ user }) => user === "carol")?.memory).toBe("2GiB");
    await expectNoChanges(fleet);
  });

  test("refresh notices a container that was deleted behind its back, and up makes it again", async () => {
    await fleet.onServer(["incus", "delete", "-f", "carol-container"]);
    expect((await fleet.pulumi("refresh", "--yes", "--skip-preview")).stdout).toMatch(/carol.*delete/);
    expect((await fleet.pulumi("preview", "--expect-no-changes")).code).not.toBe(0);
    expect((await fleet.pulumi("up", "--yes", "--skip-preview")).code).toBe(0);
    expect((await fleet.ssh(["carol-dev", "whoami"], await fleet.exported("carol"))).stdout).toBe("carol\n");
  });

  test("removing a name deletes its container", async () => {
    const config = fleet.config();
    writeFileSync(fleet.configFile, config.replace(/ {4}- user: carol\n(?: {6}.*\n)+/, ""));
    expect((await fleet.pulumi("up", "--yes", "--skip-preview")).code).toBe(0);
    expect((await fleet.list()).map(({ user }) => user)).not.toContain("carol");
    await expectNoChanges(fleet);
  });

  test("a wrong value is refused before anything happens, with the key's name", async () => {
    const config = fleet.config();
    writeFileSync(fleet.configFile, config.replace(/containarium:image: .*/, "$&\n  containarium:memory: banana"));
    const { code, stdout, stderr } = await fleet.pulumi("up", "--yes", "--skip-preview");
    writeFileSync(fleet.configFile, config);
    expect(stdout + stderr).toMatch(/containarium:memory.*banana/);
    expect(stdout + stderr).not.toMatch(/\n\s+at .*\d+:\d+/);
    expect(code).not.toBe(0);
  });

  // That a good edit is built and run: tests/scripts/fresh-build.test.ts; a compiler takes long.
  test("an edited source is never run in its old build", async () => {
    const file = path.join(fleet.clone, "index.ts");
    const source = readFileSync(file, "utf8");
    writeFileSync(file, `${source}\nexport const edited: number = "no";\n`);
    const refused = await fleet.pulumi("preview");
    writeFileSync(file, source);
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toMatch(/do not compile/);
    await expectNoChanges(fleet);
  });
}
