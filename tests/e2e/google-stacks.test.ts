/** The stack files, unmodified, with the real engine: they come up, change and go as an administrator would want. */
import { appendFileSync } from "node:fs";

import { declarationProblems } from "../google/declarations";
import { preempt, startAgain, startStopped } from "../google/stand-in/backing";
import { describeWithEngine, EngineProject } from "../google/stand-in/engine-run";
import { ALICE_KEY } from "../fakes/keys";

/** What the stack files leave to whoever uses them. */
const own = { "gcp:project": "pretended", allowedSshSources: ["203.0.113.0/24"], adminSshKeys: [ALICE_KEY] };

/** What a server consists of; `%` is its name. */
const serverParts = [
  "Address %-external",
  "Address %-internal",
  "Command %-startup",
  "DataDiskRecord %-data-record",
  "Disk %-data",
  "DiskResourcePolicyAttachment %-data-snapshots",
  "Instance %",
  "InstanceIAMMember %-starter-may",
  "Job %-starter",
  "Route %-containers",
  "ServerIdentity %-identity",
];

const sharedParts = [
  "Account starter-account",
  "Firewall allow-fleet",
  "Firewall allow-peers",
  "Firewall allow-ssh",
  "IAMCustomRole starter-role",
  "Network network",
  "ResourcePolicy snapshots-0400-30d",
  "Subnetwork subnet",
];

const balancerParts = [
  "Address balancer-address",
  "Firewall allow-health",
  "ForwardingRule balancer-rule",
  "InstanceGroup balancer-group",
  "RegionBackendService balancer-backend",
  "RegionHealthCheck balancer-ready",
];

const inBalancer = "InstanceGroupMembership %-in-balancer";
const each = (parts: string[], ...ids: number[]) =>
  ids.flatMap((id) => parts.map((part) => part.replace("%", `jump-${id}`)));
const all = (op: string, parts: string[]) => parts.map((part) => `${op} ${part}`).sort();
/** A disk is never deleted: Pulumi lets go of it. */
const gone = (parts: string[]) =>
  all("delete", parts).map((line) => line.replace("delete Disk ", "retain Disk ")).sort(); // prettier-ignore

describeWithEngine()("the stacks on Google", () => {
  const open: EngineProject[] = [];
  const stackOf = async (name: string, answers: Record<string, unknown> = own) => {
    const stack = await EngineProject.ofStack(name, answers);
    open.push(stack);
    return stack;
  };
  afterAll(() => open.forEach((stack) => stack.remove()));

  test("dev: one Spot server comes up, twice is once, and goes but for its disk", async () => {
    const dev = await stackOf("dev");
    const parts = [...sharedParts, ...each(serverParts, 1)];
    expect(await dev.changes("preview")).toEqual(all("create", parts));
    expect(await dev.changes("up")).toEqual(all("create", parts));
    expect(await dev.changes("up")).toEqual([]);
    expect(await dev.changes("refresh")).toEqual([]);
    const { inventory, addresses, ssh, capacity, monthlyCost } = await dev.outputs();
    expect(inventory.servers[0].hostKeys[0]).toMatch(/^ssh-ed25519 AAAA/);
    expect(ssh["jump-1"]).toBe(`ssh admin@${addresses["jump-1"]}`);
    expect(capacity.people).toEqual({ busy: 40, typical: 50, quiet: 60 });
    expect(monthlyCost.total).toBe(150.25);
    expect(await dev.changes("destroy")).toEqual(gone(parts));
  });

  test("what only the administrator can say is asked for before anything is made", async () => {
    const dev = await stackOf("dev", {});
    const refusal = (key: string) => expect(dev.changes("up")).rejects.toThrow(key);
    await refusal("gcp:project is not set");
    dev.configure({ "gcp:project": "pretended" });
    await refusal("containarium:adminSshKeys is empty");
    expect(dev.google.all()).toEqual([]);
  });

  describe("prod", () => {
    let prod: EngineProject;
    const up = (values: Record<string, unknown>) => {
      prod.configure(values);
      return prod.changes("up");
    };
    beforeAll(async () => (prod = await stackOf("prod")));

    test("three servers and a balancer", async () => {
      const parts = [...sharedParts, ...balancerParts, ...each([...serverParts, inBalancer], 1, 2, 3)];
      expect(await prod.changes("preview")).toEqual(all("create", parts));
      expect(await prod.changes("up")).toEqual(all("create", parts));
      expect(await prod.changes("up")).toEqual([]);
      // As the engine sent it, references resolved: what the declarations of the provider's package say.
      expect(prod.google.all().flatMap((thing) => declarationProblems(thing))).toEqual([]);
      const { inventory } = await prod.outputs();
      expect(inventory.balancer).toEqual({ address: expect.stringMatching(/^\d/), port: 22 });
    });

    test("from three to five: nobody who is there is touched; a new server can wait before the balancer", async () => {
      expect(await up({ servers: [1, 2, 3, 4, 5], outOfBalancer: [5] })).toEqual(
        all("create", [...each(serverParts, 4, 5), ...each([inBalancer], 4)]),
      );
      expect(await up({ outOfBalancer: undefined })).toEqual(all("create", each([inBalancer], 5)));
    });

    test("from five to two, out of order: the disks stay", async () => {
      expect(await up({ servers: [1, 4] })).toEqual(gone(each([...serverParts, inBalancer], 2, 3, 5)));
    });

    test("a disk grows in place", async () => {
      expect(await up({ dataDiskSizeGb: 200 })).toEqual(
        [1, 4].flatMap((id) => [`update DataDiskRecord jump-${id}-data-record ()`, `update Disk jump-${id}-data (size)`]).sort(), // prettier-ignore
      );
    });

    test("the balancer goes and comes, and nothing else", async () => {
      const parts = [...balancerParts, ...each([inBalancer], 1, 4)];
      expect(await up({ loadBalancer: false })).toEqual(all("delete", parts));
      expect(await up({ loadBalancer: true })).toEqual(all("create", parts));
    });

    test("a changed startup file reaches the living servers, in place", async () => {
      appendFileSync(prod.startupFile("kernel-limits"), "# changed\n");
      const changed = ["containarium-file-kernel-limits", "containarium-files", "containarium-server"];
      expect(await prod.changes("up")).toEqual([
        "replace Command jump-1-startup (create, triggers[])",
        "replace Command jump-4-startup (create, triggers[])",
        ...[1, 4].map((id) => `update Instance jump-${id} (${changed.map((key) => `metadata["${key}"]`).join(", ")})`),
      ]);
    });

    test("a forgotten disk is not overlooked when its server comes back: the preview says how to take it", async () => {
      prod.configure({ servers: [1, 2, 4] });
      const remedy = /jump-2-data is in us-central1-a already.*\{server: 2, adopt: true\}/s;
      await expect(prod.changes("preview")).rejects.toThrow(remedy);
      await expect(prod.changes("up")).rejects.toThrow(remedy);
      const lines = await up({ dataDisks: [{ server: 2, adopt: true }] });
      expect(lines).toContain("import Disk jump-2-data");
      expect(lines.filter((line) => !/^(create|import) \w+ jump-2/.test(line))).toEqual([]);
      expect(await prod.changes("up")).toEqual([]);
    });

    test.each([
      ["another zone", { zone: "us-central1-b" }, /is in us-central1-a, it cannot move to us-central1-b/],
      ["another type", { dataDiskType: "pd-ssd" }, /is a pd-balanced, it cannot become a pd-ssd/],
      ["a smaller disk", { dataDiskSizeGb: 100 }, /has 200 GiB, it cannot shrink to 100/],
    ])("a disk that would be replaced is refused, also without a preview: %s", async (_what, values, message) => {
      const before = prod.google.all();
      const was = { zone: "us-central1-a", dataDiskType: undefined, dataDiskSizeGb: 200 };
      await expect(up(values)).rejects.toThrow(message);
      expect(prod.google.all()).toEqual(before);
      prod.configure(was);
    });

    test("a restore: a new disk beside the old one, the server anew around it, under its old identity", async () => {
      const { inventory } = await prod.outputs();
      const [hostKey] = inventory.servers[0].hostKeys;
      prod.google.behave("containarium-prod-jump-1", { hostKey });
      const dataDisks = [
        { server: 1, generation: 2, snapshot: "global/snapshots/monday" },
        { server: 2, adopt: true },
      ];
      const lines = await up({ dataDisks });
      expect(lines).toContain("create Disk jump-1-data-g2");
      expect(lines).toContain("retain Disk jump-1-data");
      expect(lines.find((line) => line.includes("Instance jump-1"))).toMatch(/^replace .*attachedDisks\[\]\.source/);
      expect(lines.filter((line) => !line.includes("jump-1"))).toEqual([]);
      expect((await prod.outputs()).inventory.servers[0].hostKeys).toEqual([hostKey]);
      expect(await prod.changes("up")).toEqual([]);
    });

    test("a server that comes up with another identity stops everything", async () => {
      const { inventory } = await prod.outputs();
      const vm = () => prod.google.named("Instance", "containarium-prod-jump-1");
      prod.google.behave("containarium-prod-jump-1", { hostKey: inventory.servers[1].hostKeys[0] });
      startAgain(prod.google, vm());
      await expect(prod.changes("preview")).rejects.toThrow(/jump-1 came up with another host key/);
      await expect(prod.changes("up")).rejects.toThrow(/jump-1 came up with another host key/);
      prod.google.behave("containarium-prod-jump-1", { hostKey: inventory.servers[0].hostKeys[0] });
      startAgain(prod.google, vm());
    });

    test("a server that is down keeps its identity and keeps nobody from working; its starter brings it back", async () => {
      preempt(prod.google, prod.google.named("Instance", "containarium-prod-jump-4"));
      const { inventory } = await prod.outputs();
      expect(await up({ dataDiskSizeGb: 210 })).toContain("update Disk jump-1-data-g2 (size)");
      expect((await prod.outputs()).inventory).toEqual(inventory);
      expect(startStopped(prod.google)).toEqual(["containarium-prod-jump-4"]);
      expect(await prod.changes("up")).toEqual([]);
    });

    test("from Spot to regular: the servers anew, around their disks and addresses", async () => {
      const lines = await up({ spot: false });
      expect(lines.filter((line) => /Disk|Address|Route|Identity|Network/.test(line))).toEqual([]);
      expect(lines.filter((line) => line.startsWith("replace Instance "))).toHaveLength(3);
      expect(lines).toContain("delete Job jump-1-starter");
      expect(await prod.changes("up")).toEqual([]);
    });

    test("another snapshot schedule is another policy, attached before the old one goes", async () => {
      const disks = ["jump-1-data-g2", "jump-2-data", "jump-4-data"];
      expect(await up({ snapshotRetentionDays: 7 })).toEqual([
        "create ResourcePolicy snapshots-0400-7d",
        "delete ResourcePolicy snapshots-0400-30d",
        ...disks.map((disk) => `replace DiskResourcePolicyAttachment ${disk}-snapshots (name)`),
      ]);
    });

    test("the end: everything goes but the disks", async () => {
      const disks = prod.google.all("gcp:compute/disk:Disk").length;
      const lines = await prod.changes("destroy");
      expect(lines.filter((line) => line.startsWith("retain "))).toHaveLength(3);
      expect(prod.google.all().map(({ type }) => type)).toEqual(Array(disks).fill("gcp:compute/disk:Disk"));
    });
  });

  test("large: five servers", async () => {
    const large = await stackOf("large");
    const parts = [...sharedParts, ...balancerParts, ...each([...serverParts, inBalancer], 1, 2, 3, 4, 5)];
    expect(await large.changes("preview")).toEqual(all("create", parts));
    expect(await large.changes("up")).toEqual(all("create", parts));
    expect(await large.changes("up")).toEqual([]);
    expect(await large.changes("destroy")).toEqual(gone(parts));
  });
});
