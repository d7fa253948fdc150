/** The stand-in for Google, under the real engine: what it accepts, refuses and reports is what the fleet's tests rest on. */
import { preempt, startStopped } from "../google/stand-in/backing";
import { CommandLog } from "../google/stand-in/command-log";
import { describeWithEngine, EngineProject } from "../google/stand-in/engine-run";
import { changesIn, errorsIn, summaryOf } from "../google/stand-in/operations";

const program = `
const pulumi = require("@pulumi/pulumi");
const compute = require("@pulumi/gcp/compute");
const { Job } = require("@pulumi/gcp/cloudscheduler");
const { Account } = require("@pulumi/gcp/serviceaccount");
const { remote } = require("@pulumi/command");
const wishes = { size: 20, zone: "us-central1-a", spot: true, startup: "1", vm: true, disk: true, machineType: "e2-small", ...JSON.parse(process.env.WISHES ?? "{}") };
const { zone } = wishes;
const project = "acme";
const network = new compute.Network("network", { name: "fleet", project, autoCreateSubnetworks: false });
const subnet = new compute.Subnetwork("subnet", { name: "fleet", project, region: "us-central1", network: wishes.careless ? "projects/acme/global/networks/fleet" : network.id, ipCidrRange: "10.64.0.0/24" });
const internal = new compute.Address("internal", { name: "vm-int", project, region: "us-central1", subnetwork: subnet.id, addressType: "INTERNAL", address: "10.64.0.11" });
const external = new compute.Address("external", { name: "vm-ext", project, region: "us-central1" });
const disk = wishes.disk && new compute.Disk("data", { name: "vm-data", project, zone, size: wishes.size, type: "pd-balanced", labels: wishes.labels },
  { retainOnDelete: true, import: wishes.adopt });
if (wishes.vm) {
  const vm = new compute.Instance("vm", {
    name: "vm", project, zone, machineType: wishes.machineType, allowStoppingForUpdate: wishes.mayStop,
    bootDisk: { initializeParams: { image: "debian-cloud/debian-13" } },
    networkInterfaces: [{ subnetwork: subnet.id, networkIp: internal.address, accessConfigs: [{ natIp: external.address }] }],
    attachedDisks: [{ source: disk.selfLink, deviceName: "incus-data" }],
    scheduling: { provisioningModel: wishes.spot ? "SPOT" : "STANDARD", preemptible: wishes.spot, automaticRestart: false },
    metadata: { "enable-guest-attributes": "TRUE", "containarium-server": JSON.stringify({ startup: wishes.startup }), "containarium-file-bootstrap_sh": "" },
    desiredStatus: "RUNNING",
  }, { deleteBeforeReplace: true });
  const told = vm.instanceId.apply(() => compute.getInstanceGuestAttributes({ name: "vm", project, zone, queryPath: "containarium/" }));
  const hostKey = wishes.pinned ?? told.apply(({ queryValues }) => queryValues.find(({ key }) => key === "host-key")?.value);
  exports.hostKey = hostKey;
  new remote.Command("startup", {
    create: "startup", triggers: [wishes.startup],
    connection: { host: external.address, user: "admin", privateKey: "secret-key", hostKey },
  }, { dependsOn: vm });
  const account = new Account("starter", { accountId: "fleet-starter", project });
  new Job("starter", { name: "vm-starter", project, region: "us-central1", schedule: "* * * * *",
    httpTarget: { httpMethod: "POST", uri: pulumi.interpolate\`https://compute.googleapis.com/compute/v1/\${vm.id}/start\`, oauthToken: { serviceAccountEmail: account.email } } });
}
exports.address = external.address;
`;

jest.setTimeout(120_000);

describeWithEngine()("a pretended Google", () => {
  let project: EngineProject;
  const diskId = "projects/acme/zones/us-central1-a/disks/vm-data";
  const changes = ({ stdout }: { stdout: string }) => summaryOf(changesIn(stdout));
  const vm = () => project.google.named("Instance", "vm");
  const startAgainWithItsOwnKey = () => {
    preempt(project.google, vm());
    startStopped(project.google);
  };
  const hostKey = async () => (await project.outputs()).hostKey as string;

  beforeAll(async () => {
    project = await EngineProject.create(program);
  });
  afterAll(() => project.remove());

  test("a preview plans all of it and makes nothing", async () => {
    const { code, stdout } = await project.run("preview");
    expect(code).toBe(0);
    expect(changes({ stdout })).toContain("create Instance vm");
    expect(changes({ stdout })).toHaveLength(9);
    expect(project.google.all()).toEqual([]);
  });

  test("up makes it; a second up has nothing to do, before and after a refresh", async () => {
    const first = await project.run("up");
    expect(errorsIn(first.stdout)).toEqual([]);
    expect(changes(first)).toHaveLength(9);
    expect(project.google.named("Disk", "vm-data")).toMatchObject({ id: diskId, inputs: { size: 20 } });
    expect(await hostKey()).toMatch(/^ssh-ed25519 AAAA/);
    expect(changes(await project.run("up"))).toEqual([]);
    expect((await project.run("refresh")).code).toBe(0);
    expect(changes(await project.run("up"))).toEqual([]);
  });

  test("the command ran at the external address, with the pinned key and without the private one", async () => {
    const [run] = new CommandLog(project.google.directory).of("startup");
    const host = project.google.named("Address", "vm-ext").outputs.address;
    expect(run).toEqual({ action: "create", command: "startup", host, port: 22, user: "admin", hostKey: await hostKey(), triggers: ["1"] }); // prettier-ignore
  });

  test("metadata changes in place; the trigger runs the command, and then the VM says that it is ready", async () => {
    const before = vm().guest?.["containarium/ready"];
    expect(changes(await project.run("up", { startup: "2" }))).toEqual([
      "replace Command startup (triggers[])",
      'update Instance vm (metadata["containarium-server"])',
    ]);
    expect(vm().guest?.["containarium/ready"]).not.toBe(before);
  });

  test("what the program may not do without asking is refused, in Google's words", async () => {
    const refused = await project.run("up", { startup: "2", machineType: "e2-medium" });
    expect(refused.code).not.toBe(0);
    expect(errorsIn(refused.stdout).join()).toContain("set allow_stopping_for_update = true");
    const allowed = { startup: "2", machineType: "e2-medium", mayStop: true };
    expect(changes(await project.run("up", allowed))).toEqual([
      "update Instance vm (allowStoppingForUpdate, machineType)",
    ]);
  });

  test("a disk grows in place; a smaller one would be another disk, and its name is taken", async () => {
    const rest = { startup: "2", machineType: "e2-medium", mayStop: true };
    expect(changes(await project.run("preview", { ...rest, size: 30 }))).toEqual(["update Disk data (size)"]);
    const smaller = await project.run("preview", { ...rest, size: 10 });
    expect(changes(smaller)).toContain("replace Disk data (size)");
  });

  test("spot to regular makes another VM, around the same disk: it has the old host key", async () => {
    const [known, old] = [await hostKey(), vm().outputs.instanceId];
    const { stdout, code } = await project.run("up", { startup: "2", spot: false });
    expect({ code, errors: errorsIn(stdout) }).toEqual({ code: 0, errors: [] });
    expect(changesIn(stdout).find(({ name }) => name === "vm")).toMatchObject({
      op: "replace",
      changed: expect.arrayContaining(["scheduling.provisioningModel", "scheduling.preemptible"]),
    });
    expect(vm().outputs.instanceId).not.toBe(old);
    expect(await hostKey()).toBe(known);
  });

  test("a refresh tells what was deleted and stopped behind the engine's back; the next up mends it", async () => {
    const rest = { startup: "2", spot: false };
    project.google.remove(project.google.named("Job", "vm-starter").id);
    preempt(project.google, vm());
    const refreshed = await project.run("refresh", rest);
    expect(changes(refreshed)).toEqual(["delete Job starter", "update Instance vm (desiredStatus)"]);
    expect(changes(await project.run("up", rest))).toEqual([
      "create Job starter",
      "update Instance vm (desiredStatus)",
    ]);
    expect(vm().outputs.currentStatus).toBe("RUNNING");
  });

  test("a stopped VM does not answer; what starts it is its job", async () => {
    preempt(project.google, vm());
    const { code, stdout } = await project.run("up", { startup: "3", spot: false });
    expect(code).not.toBe(0);
    expect(errorsIn(stdout).join()).toContain("i/o timeout");
    expect(startStopped(project.google)).toEqual(["vm"]);
    expect((await project.run("up", { startup: "3", spot: false })).code).toBe(0);
  });

  test("another host key than the pinned one is refused", async () => {
    project.google.behave("vm", { hostKey: "ssh-ed25519 AAAAother" });
    const { code, stdout } = await project.run("up", { startup: "4", spot: true, pinned: await hostKey() });
    expect(code).not.toBe(0);
    expect(errorsIn(stdout).join()).toContain("key mismatch");
    project.google.behave("vm", {});
    startAgainWithItsOwnKey();
    expect((await project.run("up", { startup: "4", spot: true })).code).toBe(0);
  });

  test("destroy leaves the disk, and nothing else; a new stack collides with it until it adopts it", async () => {
    const { code, stdout } = await project.run("destroy");
    expect({ code, errors: errorsIn(stdout) }).toEqual({ code: 0, errors: [] });
    expect(changes({ stdout })).toContain("retain Disk data");
    expect(project.google.all().map(({ id }) => id)).toEqual([diskId]);
    const collided = await project.run("up");
    expect(collided.code).not.toBe(0);
    expect(errorsIn(collided.stdout).join()).toContain(`The resource '${diskId}' already exists, alreadyExists`);
    const adopted = await project.run("up", { adopt: diskId });
    expect({ code: adopted.code, errors: errorsIn(adopted.stdout) }).toEqual({ code: 0, errors: [] });
    expect(changes(adopted)).toContain("import Disk data");
    expect(changes(await project.run("up", { adopt: diskId }))).toEqual([]);
  });

  test("a program that hides who needs whom is found out: what is in use is not deleted", async () => {
    expect((await project.run("up", { adopt: diskId, careless: true })).code).toBe(0);
    const { code, stdout } = await project.run("destroy");
    expect(code).not.toBe(0);
    expect(errorsIn(stdout).join()).toMatch(
      /The network resource .* is already being used by .*InUseByAnotherResource/,
    );
    expect((await project.run("destroy")).code).toBe(0);
    expect(project.google.all().map(({ id }) => id)).toEqual([diskId]);
  });
});
