import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import * as path from "node:path";

import { engineEnvironment } from "../../scripts/engine";
import { freeSubnet } from "../../scripts/host-setup";
import { removeEverything } from "../../components/local/teardown";
import { run } from "./clone";
import type { TestFleet } from "./fleet";

/** The example of a program that embeds a fleet, as it is: on this host instead of on Google. */
export function embedding(fleet: TestFleet): void {
  // As somebody's own folder: found from there, `containarium` is this clone.
  const folder = path.join(fleet.clone, "embedding");
  const stack = "embedded";

  test("makes a fleet, adds a person, reads the outputs, destroys", async () => {
    mkdirSync(path.join(folder, ".containarium"), { recursive: true });
    for (const file of ["alice", ".containarium/admin_key"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "x@laptop", "-f", path.join(folder, file)]);
    }
    const config = {
      target: "local",
      image: "debian/13",
      localSubnet: await freeSubnet(folder),
      diskQuota: "5GB",
      dataDiskSizeGb: 10,
    };
    const { code, stdout, stderr } = await run(["node", path.join(fleet.clone, "examples/embedding/fleet.js")], {
      cwd: folder,
      timeoutMs: 600_000,
      env: {
        ...engineEnvironment(folder, stack),
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        STACK: stack,
        CONFIG: JSON.stringify(config),
      },
    });
    expect({ code, said: code === 0 ? "" : stderr }).toEqual({ code: 0, said: "" });
    const { inventory, addresses } = JSON.parse(stdout);
    expect(inventory.servers[0]).toMatchObject({ name: "jump-1", address: addresses["jump-1"] });
    expect(stderr).toMatch(/Container\s+alice\s+created/);
    expect(stderr).toMatch(/Container\s+alice\s+deleted/);
    const left = await run(["incus", "list", "-f", "csv", "-c", "n", `${stack}-`], { cwd: "/" });
    expect(left.stdout).toBe("");
  });

  afterAll(() => removeEverything({ projectDirectory: folder, stack }));
}
