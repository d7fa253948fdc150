import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { requireEngine } from "../../scripts/engine";
import type { TestFleet } from "./fleet";

interface Cost {
  engine: number;
  logins: number;
  rest: number;
  helper: number;
}

/** What commands ask of a real server and the real engine: as much as tests/bin/counts.test.ts says, and no more. */
export function counts(fleet: TestFleet): void {
  const folder = path.join(fleet.clone, "counted-engine");
  const starts = path.join(folder, "starts");
  const { pulumi, languageHost } = requireEngine();
  const environment = { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" };

  const cost = async (...args: string[]): Promise<Cost> => {
    writeFileSync(starts, "");
    const env = { ...process.env, ...environment, PATH: `${folder}:${process.env.PATH}` };
    const { code, stderr } = await fleet.ops([...args, "--verbose"], { env });
    expect({ args, code, stderr: code === 0 ? "" : stderr }).toEqual({ args, code: 0, stderr: "" });
    const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
    const said = lines.map((line) => JSON.parse(line) as { msg: string; path?: string });
    const asked = said.filter(({ msg }) => msg === "Incus");
    // How often one looks whether something is over depends on how long it takes.
    const waits = asked.filter(({ path: to = "" }) => to.startsWith("/1.0/operations/"));
    return {
      engine: readFileSync(starts, "utf8").split("\n").filter(Boolean).length,
      logins: said.filter(({ msg }) => msg === "connected").length,
      rest: asked.length - waits.length,
      helper: said.filter(({ msg }) => msg === "helper").length,
    };
  };

  beforeAll(async () => {
    mkdirSync(folder);
    // Asking for the version is no start: the answer is kept.
    const script = `#!/bin/sh\n[ "$1" = version ] || echo "$*" >> '${starts}'\nexec '${pulumi}' "$@"\n`;
    writeFileSync(path.join(folder, "pulumi"), script, { mode: 0o755 });
    symlinkSync(languageHost, path.join(folder, "pulumi-language-nodejs"));
    for (const user of ["cora", "cato"]) fleet.newKey(user);
  });
  afterAll(async () => {
    // Also after a failure in the middle.
    await fleet.ops(["delete", "cora", "cato", "--force"]);
    rmSync(folder, { recursive: true });
  });

  const expectCost = async (commandLine: string, { rest, ...others }: Cost) => {
    const found = await cost(...commandLine.split(" "));
    expect({ commandLine, ...found, rest: 0 }).toEqual({ commandLine, ...others, rest: 0 });
    // One or two more where Incus was busy with the same container for a moment.
    expect(found.rest).toBeLessThanOrEqual(rest + 2);
    expect(found.rest).toBeGreaterThanOrEqual(rest);
  };
  const list: Cost = { engine: 1, logins: 1, rest: 1, helper: 2 };

  test("list is one login, one request, two questions to the helper", () => expectCost("list", list));

  test("create is one login, and two starts of the engine", async () => {
    const create: Cost = { engine: 2, logins: 1, rest: 20, helper: 9 };
    await expectCost("create cora --ssh-key cora.pub", create);
    await expectCost("create cato --ssh-key cato.pub", create);
  });

  test("a first boot does not do again what the golden image has done", async () => {
    const units = ["ldconfig", "systemd-sysusers", "systemd-journal-catalog-update"].map((unit) => `${unit}.service`);
    const show = ["incus", "exec", "cora-container", "--", "systemctl", "show", "-p", "ConditionResult", ...units];
    const { stdout } = await fleet.onServer(show);
    expect(stdout.split("\n").filter(Boolean)).toEqual(units.map(() => "ConditionResult=no"));
  });

  test("list costs no more with more people", () => expectCost("list", list));

  test("what changes somebody, and what does not", async () => {
    await expectCost("keys add cora --ssh-key cato.pub", { engine: 2, logins: 1, rest: 11, helper: 4 });
    await expectCost("resize cora --memory 1GiB", { engine: 2, logins: 1, rest: 12, helper: 4 });
    await expectCost("info cora", { engine: 1, logins: 1, rest: 10, helper: 2 });
    await expectCost("delete cora --force", { engine: 2, logins: 1, rest: 5, helper: 5 });
  });
}
