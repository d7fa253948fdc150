/**
 * The stand-in for Google with machines of this host behind it: the unmodified stack `dev` with a balancer before it ends
 * in a login.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as path from "node:path";

import { queryIncus } from "../../components/local/host-incus";
import { ownerKey } from "../../components/local/owner";
import { describeWithEngine, EngineProject } from "../google/stand-in/engine-run";
import { preemptMachine, startStoppedMachines } from "../google/stand-in/machines/backing";
import { MachineHost } from "../google/stand-in/machines/host";
import { changesIn, errorsIn, summaryOf } from "../google/stand-in/operations";
import { run } from "./clone";

const machines = { prefix: "stand-in", subnet: "10.66.0.0/24" };
const vm = "containarium-dev-jump-1";

jest.setTimeout(600_000);

describeWithEngine()("a pretended Google with machines behind it", () => {
  const host = new MachineHost(machines);
  let project: EngineProject;

  beforeAll(async () => {
    await host.removeEverything();
    project = await EngineProject.ofStack("dev", {}, { machines });
    const publicKey = (name: string) => {
      const file = path.join(project.root, name);
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file]);
      return readFileSync(`${file}.pub`, "utf8").trim();
    };
    project.configure({
      "gcp:project": "acme",
      "containarium:subnet": machines.subnet,
      "containarium:allowedSshSources": [machines.subnet],
      "containarium:adminSshKeys": [publicKey("admin")],
      "containarium:adminIdentityFile": path.join(project.root, "admin"),
      "containarium:dataDiskSizeGb": 10,
      "containarium:loadBalancer": true,
      "containarium:containers": [{ user: "alice", sshKeys: [publicKey("alice")], memory: "512MiB", diskQuota: "2GB" }],
    });
  });
  afterAll(async () => {
    await host.removeEverything();
    project.remove();
  });

  const up = async (...flags: string[]) => {
    const { stdout } = await project.run("up", {}, ...flags);
    expect(errorsIn(stdout)).toEqual([]);
    return summaryOf(changesIn(stdout));
  };

  /** As alice, through the balancer, with the host keys that Pulumi knows; in her container the pinned one. */
  const asAlice = async (command: string) => {
    const { inventory } = await project.outputs();
    const known = path.join(project.root, "known_hosts");
    const jump = ["ssh", "-F", "/dev/null", "-i", path.join(project.root, "alice"), "-o", "BatchMode=yes", "-o",
      "IdentityAgent=none", "-o", "HostKeyAlias=jump", "-o", `UserKnownHostsFile=${known}`, "-W", "%h:%p",
      `alice@${inventory.balancer.address}`].join(" "); // prettier-ignore
    const pinned = [`jump ${inventory.servers[0].hostKeys[0]}`, `10.0.3.10 ${await containerHostKey()}`];
    execFileSync("tee", [known], { input: `${pinned.join("\n")}\n` });
    return await run(["ssh", "-F", "/dev/null", "-i", path.join(project.root, "alice"), "-o", "BatchMode=yes", "-o",
      "IdentityAgent=none", "-o", `UserKnownHostsFile=${known}`, "-o", `ProxyCommand=${jump}`, "alice@10.0.3.10",
      command], { cwd: project.root }); // prettier-ignore
  };
  const containerHostKey = async () => {
    const state = JSON.parse(await project.must("stack", "export", "--stack", "dev"));
    const alice = state.deployment.resources.find(({ urn }: { urn: string }) => urn.endsWith("::alice"));
    return alice.outputs.hostKeys[0] as string;
  };
  const onServer = (command: string) => run(["incus", "exec", host.instance(vm), "--", "bash", "-c", command], { cwd: "/" }); // prettier-ignore

  test("pulumi up ends in a login through the balancer", async () => {
    expect(await up()).toEqual(expect.arrayContaining(["create Instance jump-1", "create Container alice"]));
    expect((await asAlice("echo kept > note; hostname")).stdout).toBe("alice-container\n");
  });

  test("a second up has nothing to do, and a refresh finds what is there", async () => {
    expect(await up()).toEqual([]);
    expect((await project.run("refresh")).code).toBe(0);
    expect(await up()).toEqual([]);
  });

  test("changed values reach the living server, and what it says is what Pulumi wants", async () => {
    const other = execFileSync("ssh-keygen", ["-y", "-f", path.join(project.root, "alice")], { encoding: "utf8" }).trim(); // prettier-ignore
    const [admin] = [readFileSync(path.join(project.root, "admin.pub"), "utf8").trim()];
    project.configure({ "containarium:adminSshKeys": [admin, other] });
    const changed = await up();
    expect(changed).toContain('update Instance jump-1 (metadata["containarium-server"])');
    expect(changed.find((line) => line.startsWith("replace Command"))).toBeDefined();
    expect((await onServer("cat /home/admin/.ssh/authorized_keys")).stdout).toContain(other.split(" ")[1]);
    expect(await up()).toEqual([]);
  });

  test("a disk grows under the running server", async () => {
    project.configure({ "containarium:dataDiskSizeGb": 12 });
    expect(await up()).toContain("update Disk jump-1-data (size)");
    expect((await onServer("blockdev --getsize64 /dev/disk/by-id/google-incus-data")).stdout.trim()).toBe(String(12 * 1024 ** 3)); // prettier-ignore
  });

  test("after a preemption its job starts it, and alice is back with what she had", async () => {
    await preemptMachine(host, vm);
    expect((await asAlice("true")).code).not.toBe(0);
    expect(await startStoppedMachines(host, project.google)).toEqual([vm]);
    await until(async () => (await asAlice("cat note")).stdout === "kept\n");
  });

  test("another VM around the same disk is the same server", async () => {
    const { inventory } = await project.outputs();
    const state = JSON.parse(await project.must("stack", "export", "--stack", "dev"));
    const { urn } = state.deployment.resources.find((one: { type: string }) => one.type.endsWith(":Instance"));
    expect(await up("--replace", urn)).toContainEqual(expect.stringMatching(/^replace Instance jump-1/));
    expect((await project.outputs()).inventory).toEqual(inventory);
    await until(async () => (await asAlice("cat note")).stdout === "kept\n");
  });

  test("destroy leaves the disk and nothing else; what is left can be removed", async () => {
    const { code, stdout } = await project.run("destroy");
    expect({ code, errors: errorsIn(stdout) }).toEqual({ code: 0, errors: [] });
    expect(await ours()).toEqual([]);
    expect(loops()).toContain(host.folder);
    await host.removeEverything();
    expect(loops()).not.toContain(host.folder);
  });

  /** What this host's Incus has of ours. */
  const ours = async () => {
    const kinds = ["instances", "networks", "storage-pools"];
    const all = await Promise.all(
      kinds.map((kind) => queryIncus<{ name: string; config?: Record<string, string> }[]>(`/1.0/${kind}?recursion=1`)),
    );
    return all.flatMap((things) => things ?? []).filter(({ config }) => config?.[ownerKey] === host.owner);
  };
  const loops = () => execFileSync("losetup", ["--all"], { encoding: "utf8" });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 180_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("did not come back within three minutes");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
