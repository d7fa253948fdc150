import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import type { Fault } from "../life/faults";
import { Life } from "../life/life";
import type { Operation } from "../life/model";
import { waitFor } from "../../ops/wait";
import { stack } from "./clone";
import type { TestFleet } from "./fleet";
import { expectNoChanges } from "./people";

/** Every row of the table, moment by moment and fault by fault: `npm run test:life -- --kills all`. */
const all = process.env["CONTAINARIUM_LIFE_KILLS"] === "all";

type FaultKind = "kill the CLI" | "cut SSH" | "kill Incus" | "kill the server";
const everyFault: FaultKind[] = ["kill the CLI", "cut SSH", "kill Incus", "kill the server"];

interface Row {
  /** What must be there first, and what goes afterwards. */
  before?: Operation[];
  operation: Operation;
  afterwards?: Operation[];
  /** Where it may be killed: after the host helper has answered that, or that step of create; and so long after it. */
  moments: [after: string, delayMs: number][];
  /** Which of those are tried where nobody says `all`. */
  always: [fault: FaultKind, moment: number][];
}

const small = { cpu: 1, memory: "512MiB", diskQuota: "3GB" };
const large = { cpu: 2, memory: "1GiB", diskQuota: "4GB" };
const kim = "kill-kim";
const newcomer = "kill-new";
const createNewcomer: Operation = { kind: "create", user: newcomer, key: 0, autostart: true, ...small };
const deleteNewcomer: Operation = { kind: "delete", user: newcomer };

const table: Row[] = [
  {
    operation: createNewcomer,
    moments: [["audit.begin", 150], ["[1/7]", 0], ["[4/7]", 0], ["[5/7]", 0], ["[6/7]", 0]], // prettier-ignore
    always: [
      ["kill the CLI", 3],
      ["cut SSH", 4],
      ["kill Incus", 0],
      ["kill the server", 3],
    ],
    afterwards: [deleteNewcomer],
  },
  {
    before: [createNewcomer],
    operation: deleteNewcomer,
    moments: [["account.check", 0], ["account.remove", 0], ["account.remove", 300]], // prettier-ignore
    always: [
      ["kill the CLI", 1],
      ["kill Incus", 2],
    ],
  },
  {
    operation: { kind: "resize", user: kim, ...small },
    moments: [["audit.begin", 0], ["audit.begin", 100]], // prettier-ignore
    always: [
      ["kill the CLI", 0],
      ["cut SSH", 1],
    ],
    afterwards: [{ kind: "resize", user: kim, ...large }],
  },
  {
    operation: { kind: "keys replace", user: kim, key: 2 },
    moments: [["audit.begin", 0], ["account.put", 0], ["account.endSessions", 0]], // prettier-ignore
    always: [
      ["kill Incus", 1],
      ["cut SSH", 2],
    ],
    afterwards: [{ kind: "keys replace", user: kim, key: 1 }],
  },
  {
    before: [{ kind: "write", user: kim, note: "lost" }],
    operation: { kind: "snapshot restore", user: kim, name: "monday" },
    moments: [["account.list", 0], ["account.list", 800], ["account.list", 2000], ["account.put", 0]], // prettier-ignore
    always: [
      ["kill the CLI", 3],
      ["cut SSH", 1],
      ["kill Incus", 2],
    ],
  },
  {
    operation: { kind: "restore", user: newcomer, key: 0 },
    moments: [["server.status", 300], ["account.put", 0], ["account.put", 500]], // prettier-ignore
    always: [["kill the CLI", 1]],
    afterwards: [deleteNewcomer],
  },
];

/** Each operation is ended by force in each of its steps, in every way; run again, it comes to its end. */
export function killAnywhere(fleet: TestFleet): void {
  let life: Life;

  beforeAll(async () => {
    life = await Life.begin(fleet);
    await life.step({ kind: "create", user: kim, key: 0, autostart: false, ...small });
    await life.step({ kind: "write", user: kim, note: "precious" });
    await life.step({ kind: "snapshot create", user: kim, name: "monday" });
    await life.step({ kind: "backup", user: kim });
    // What holds now is not what the snapshot has.
    await life.step({ kind: "keys replace", user: kim, key: 1 });
    await life.step({ kind: "resize", user: kim, ...large });
  });
  afterAll(() => life.end());

  const rows = table.flatMap((row) => {
    const pairs = all ? everyFault.flatMap((fault) => row.moments.map((_, moment) => [fault, moment] as const)) : row.always; // prettier-ignore
    return pairs.map(([fault, moment]) => {
      const [after, delayMs] = row.moments[moment]!;
      return { ...row, kind: row.operation.kind, fault: faultOf(fault, after, delayMs), how: fault, after, delayMs };
    });
  });
  test.each(rows)("$kind, $how after $after and $delayMs ms", async ({ before, operation, afterwards, fault }) => {
    for (const one of before ?? []) await life.step(one);
    await life.step(operation, fault);
    for (const one of afterwards ?? []) await life.step(one);
    // She does not start with her server.
    if (!life.world.people[kim]!.running) await life.step({ kind: "start", user: kim });
  });

  test("who switches off from inside keeps disk and network, whatever is done while Incus cleans up", async () => {
    const { server } = life.site;
    const switchedOff = async () => {
      await life.site.sh(`incus exec ${kim}-container -- systemctl poweroff --no-block`);
      const isStopped = async () => (await server.incus.instances.get(`${kim}-container`)).value.status === "Stopped";
      await waitFor(isStopped, { timeoutMs: 60_000, intervalMs: 5, maxIntervalMs: 5, what: "it to be stopped" });
    };
    await switchedOff();
    expect(await life.aside({ kind: "snapshot restore", user: kim, name: "monday" })).toMatchObject({ done: true });
    await life.step({ kind: "start", user: kim });
    await switchedOff();
    await life.step({ kind: "start", user: kim });
  });

  test("who is deleted after a restore that was killed, and that nobody ran again, leaves no disk", async () => {
    await life.step(createNewcomer);
    await life.step({ kind: "snapshot create", user: newcomer, name: "monday" });
    const restore: Operation = { kind: "snapshot restore", user: newcomer, name: "monday" };
    await life.aside(restore, faultOf("kill the CLI", "account.put", 0));
    // As an Incus leaves it that is killed in the middle (btrfs).
    const disk = `/srv/containarium/pool/containers/${newcomer}-container`;
    await life.site.sh(`btrfs subvolume snapshot ${disk} ${disk}.incustmp`);
    await life.step(deleteNewcomer);
  });

  test("who has no disk, as Incus was killed when it was not there yet, or gone already, is made anew, or goes", async () => {
    const name = `${newcomer}-container`;
    const loseDisk = `incus stop -f ${name}; btrfs subvolume delete /srv/containarium/pool/containers/${name}`;
    await life.step(createNewcomer);
    await life.site.sh(`${loseDisk}; incus config set ${name} user.containarium.state=creating`);
    expect(await life.aside(createNewcomer)).toMatchObject({ done: true });
    await life.step({ kind: "write", user: newcomer, note: "in a new one" });
    // Incus puts a folder in the disk's place, and cannot remove that.
    await life.site.sh(`${loseDisk}; incus config set ${name} user.touched=1`);
    await life.step(deleteNewcomer);
  });
}

function faultOf(kind: FaultKind, after: string, delayMs: number): Fault {
  if (kind !== "kill the CLI") return { kind, after, delayMs };
  return { kind, line: after.startsWith("[") ? after : `"op":"${after}"`, delayMs };
}

/** The engine, killed with all its processes while it changes people; the next `up` does the rest. */
export function killedUp(fleet: TestFleet): void {
  const person = "    - user: kill-pia\n";
  const recorded = (container: string, key: string) => ["incus", "config", "get", container, key];
  const onServer = async (...command: string[]) => await fleet.onServer(command);

  const killedWhen = async (condition: () => Promise<boolean>) => {
    const words = ["run", "-s", "pulumi", "--", "up", "--yes", "--skip-preview", "--stack", stack];
    const up = spawn("npm", words, { cwd: fleet.clone, detached: true, stdio: "ignore" });
    const ended = new Promise<"ended">((resolve) => up.on("close", () => resolve("ended")));
    const moment = waitFor(condition, { timeoutMs: 120_000, maxIntervalMs: 50, what: "the moment to kill it" });
    const first = await Promise.race([moment.then(() => "moment" as const), ended]);
    process.kill(-up.pid!, "SIGKILL");
    await ended;
    expect(first).toBe("moment");
  };
  const upAgain = async () => {
    const { code, stdout, stderr } = await fleet.pulumi("up", "--yes", "--skip-preview");
    expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
    await expectNoChanges(fleet);
  };

  test("killed when it has made a container", async () => {
    fleet.newKey("kill-pia");
    const key = readFileSync(path.join(fleet.clone, "kill-pia.pub"), "utf8").trim();
    const entry = `${person}      memory: 512MiB\n      sshKeys:\n        - ${key}\n`;
    writeFileSync(fleet.configFile, fleet.config().replace(/containarium:containers:\n/, `$&${entry}`));
    await killedWhen(async () => (await onServer("incus", "config", "show", "kill-pia-container")).code === 0);
    await upAgain();
    expect((await fleet.ssh(["kill-pia-dev", "whoami"], await fleet.exported("kill-pia"))).stdout).toBe("kill-pia\n");
  });

  if (all) {
    test("killed when it has changed a limit", async () => {
      const config = fleet.config().replace(`${person}      memory: 512MiB\n`, `${person}      memory: 1GiB\n`);
      writeFileSync(fleet.configFile, config);
      await killedWhen(async () => {
        return (await onServer(...recorded("kill-pia-container", "limits.memory"))).stdout === "1GiB\n";
      });
      await upAgain();
      expect((await fleet.list()).find(({ user }) => user === "kill-pia")).toMatchObject({ memory: "1GiB", status: "running" }); // prettier-ignore
    });
  }

  test("killed when it has closed an account", async () => {
    writeFileSync(fleet.configFile, fleet.config().replace(/ {4}- user: kill-pia\n(?: {6}.*\n)+/, ""));
    await killedWhen(async () => (await onServer("getent", "passwd", "kill-pia")).code !== 0);
    await upAgain();
    expect((await onServer("incus", "config", "show", "kill-pia-container")).code).not.toBe(0);
    expect((await onServer("getent", "passwd", "kill-pia")).code).not.toBe(0);
  });
}
