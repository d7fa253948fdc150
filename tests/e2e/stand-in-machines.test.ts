/**
 * The unmodified stack `prod` with the real engine: behind the stand-in for Google are machines of this host, and it ends
 * in `ssh alice-dev` through the balancer.
 */
import { execFileSync } from "node:child_process";

import { queryIncus } from "../../components/local/host-incus";
import { ownerKey } from "../../components/local/owner";
import { waitFor } from "../../ops/wait";
import { describeWithEngine } from "../google/stand-in/engine-run";
import { MachineStack } from "../google/stand-in/machines/stack";

const machines = { prefix: "stand-in", subnet: "10.66.0.0/24" };
const people = { alice: "jump-1", bob: "jump-2", carol: "jump-3" };
const vm = "containarium-prod-jump-1";

jest.setTimeout(900_000);

describeWithEngine()("the stack prod on machines of this host", () => {
  let stack: MachineStack;
  beforeAll(async () => {
    stack = await MachineStack.create("prod", machines, people);
  });
  afterAll(() => stack?.remove());

  const everybody = Object.keys(people);
  let said = "";
  const says = async (user: string, command: string, door?: string) => {
    const { stdout, stderr } = await stack.as(user, command, door);
    said = stderr;
    return stdout;
  };
  const logsIn = async (user: string, door?: string) => (await says(user, "hostname", door)) === `${user}-container\n`;
  const within = async (seconds: number, what: string, condition: () => Promise<boolean>) => {
    try {
      await waitFor(condition, { what, timeoutMs: seconds * 1_000, intervalMs: 500 });
    } catch (error) {
      throw new Error(`${(error as Error).message}; the last try said: ${said}`, { cause: error });
    }
  };
  const aliceHasHerNote = async () => (await says("alice", "cat note")) === "kept\n";

  test("pulumi up ends in ssh alice-dev, through the balancer", async () => {
    expect(await stack.project.changes("up")).toContain("create ForwardingRule balancer-rule");
    for (const user of everybody) await stack.export(user);
    // Servers hear of each other's people within seconds after an `up`, and any of them may answer here.
    await within(60, "alice's login", () => logsIn("alice"));
    await within(60, "alice's note", async () => (await says("alice", "echo kept > note; cat note")) === "kept\n");
  });

  test("whichever server answers, everybody arrives at their own machine", async () => {
    const { servers } = await stack.inventory();
    expect(servers).toHaveLength(3);
    for (const { address } of servers) {
      for (const user of everybody) await within(60, `${user}'s login by ${address}`, () => logsIn(user, address));
    }
  });

  test("a second up has nothing to do, and a refresh finds what is there", async () => {
    expect(await stack.project.changes("up")).toEqual([]);
    expect((await stack.project.run("refresh")).code).toBe(0);
    expect(await stack.project.changes("up")).toEqual([]);
  });

  test("changed values reach the living servers, and what they say is what Pulumi wants", async () => {
    stack.project.configure({ adminSshKeys: [stack.publicKey("admin"), stack.newKey("second")] });
    const changed = await stack.project.changes("up");
    expect(changed).toContain('update Instance jump-1 (metadata["containarium-server"])');
    expect(changed).toContainEqual(expect.stringMatching(/^replace Command jump-1-startup/));
    const { stdout } = await stack.onServer(vm, "cat /home/admin/.ssh/authorized_keys");
    expect(stdout).toContain(stack.publicKey("second").split(" ")[1]);
    expect(await stack.project.changes("up")).toEqual([]);
  });

  test("a disk grows under the running server", async () => {
    stack.project.configure({ dataDiskSizeGb: 12 });
    expect(await stack.project.changes("up")).toContain("update Disk jump-1-data (size)");
    const { stdout } = await stack.onServer(vm, "blockdev --getsize64 /dev/disk/by-id/google-incus-data");
    expect(Number(stdout)).toBe(12 * 1024 ** 3);
  });

  test("one server is preempted: the others' people log in; its job starts it, and alice has what she had", async () => {
    await stack.preempt(vm);
    for (const user of ["bob", "carol"]) await within(30, `${user}'s login`, () => logsIn(user));
    expect(await logsIn("alice")).toBe(false);
    expect(await stack.startStopped()).toEqual([vm]);
    await within(180, "alice's note", aliceHasHerNote);
  });

  test("another VM around the same disk is the same server", async () => {
    const inventory = await stack.inventory();
    const state = JSON.parse(await stack.project.must("stack", "export", "--stack", "prod"));
    const { urn } = state.deployment.resources.find(({ urn }: { urn: string }) => /:Instance::jump-1$/.test(urn));
    expect(await stack.project.changes("up", "--replace", urn)).toContainEqual(
      expect.stringMatching(/^replace Instance jump-1/),
    );
    expect(await stack.inventory()).toEqual(inventory);
    await within(180, "alice's note", aliceHasHerNote);
  });

  test("destroy leaves the disks and nothing else; what is left can be removed", async () => {
    expect(await stack.project.changes("destroy")).toContain("retain Disk jump-1-data");
    expect(await ours()).toEqual([]);
    expect(loopDevices()).toContain(stack.host.folder);
    await stack.host.removeEverything();
    expect(loopDevices()).not.toContain(`${stack.host.folder}/`);
  });

  /** What this host's Incus has of ours. */
  const ours = async () => {
    const kinds = ["instances", "networks", "storage-pools"];
    const all = await Promise.all(
      kinds.map((kind) => queryIncus<{ name: string; config?: Record<string, string> }[]>(`/1.0/${kind}?recursion=1`)),
    );
    return all.flatMap((things) => things ?? []).filter(({ config }) => config?.[ownerKey] === stack.host.owner);
  };
  const loopDevices = () => execFileSync("losetup", ["--all"], { encoding: "utf8" });
});
