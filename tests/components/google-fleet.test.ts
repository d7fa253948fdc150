/** The fleet on Google, resource by resource: what Google would refuse, and what must never happen to a disk. */
import { containariumProgram } from "../../components/program";
import { settingsFrom } from "../../components/settings";
import { ALICE_KEY, BOB_KEY } from "../fakes/keys";
import { problems } from "../google/problems";
import { recordResources } from "../google/recorder";
import type { Resource } from "../google/resource";

jest.setTimeout(60_000);

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE3cjYQ8nzMWFhLQrOdYkLNeXtyoYvVUGJtExvuBOzVS";
const base = { target: "gce", adminSshKeys: [ALICE_KEY], allowedSshSources: ["203.0.113.0/24"] };

function record(values: Record<string, unknown>, stack = "prod"): Promise<Resource[]> {
  const settings = settingsFrom(stack, { ...base, ...values }, "some-project");
  return recordResources(() => containariumProgram(settings), {
    stack,
    config: { "gcp:project": "some-project" },
    invoke: (token) => {
      if (/getDisk$/i.test(token)) throw new Error("googleapi: Error 404: notFound");
      if (/GuestAttributes/.test(token)) return { queryValues: [{ key: "host-key", value: hostKey }] };
      return { currentStatus: "RUNNING" };
    },
    outputs: ({ type }) => (/ServerIdentity/.test(type) ? { hostKeys: [hostKey] } : undefined),
  });
}

const told = { jumpUsers: ["bob"] };
const people = [{ user: "bob", sshKeys: [BOB_KEY], server: "jump-1" }];

test.each<[string, Record<string, unknown>]>([
  ["one Spot server", { servers: [1], containers: people }],
  ["three and a balancer", { servers: [1, 2, 3], loadBalancer: true, containers: people }],
  ["five and a balancer, the last not in it yet", { servers: [1, 2, 3, 4, 5], loadBalancer: true, outOfBalancer: [5] }],
  ["regular servers", { servers: [1, 7], spot: false }],
  ["Ubuntu, in another region and subnet", { bootImage: "ubuntu-os-cloud/ubuntu-2404-lts-amd64", zone: "europe-west4-b", subnet: "172.20.0.0/20" }], // prettier-ignore
  ["no snapshots", { dailySnapshots: false }],
  ["the last id, recovery paused", { servers: [240], recoveryPaused: true, protectDataDisks: true }],
  ["a restored disk", { servers: [1], dataDisks: [{ server: 1, generation: 2, snapshot: "global/snapshots/monday" }] }],
])("Google has nothing against: %s", async (_what, values) => {
  const said = {
    ...told,
    snapshotsOff: values["dailySnapshots"] === false,
    outOfBalancer: ((values["outOfBalancer"] ?? []) as number[]).map((id) => `jump-${id}`),
  };
  expect(problems(await record(values), said)).toEqual([]);
});

test("a long stack name with capitals makes names that Google takes", async () => {
  const stack = "Team.Research_Computing-Autumn-Semester-2026";
  expect(problems(await record({ servers: [1, 240], loadBalancer: true }, stack), told)).toEqual([]);
});

const identities = (resources: Resource[]) =>
  new Map(resources.map(({ urn, inputs }) => [urn, JSON.stringify(inputs)]));

test("removing a server changes nothing of the others", async () => {
  const before = identities(await record({ servers: [1, 2, 4] }));
  for (const [urn, inputs] of identities(await record({ servers: [1, 4] }))) {
    if (urn !== undefined && !/Stack::|SpotFleet::/.test(urn)) expect(`${urn} ${before.get(urn)}`).toBe(`${urn} ${inputs}`); // prettier-ignore
  }
});

test("whoever comes to a balanced fleet is made where they are said to live", async () => {
  const resources = await record({ servers: [1, 2], loadBalancer: true, containers: [{ ...people[0]!, server: "jump-2" }] }); // prettier-ignore
  const bob = resources.find(({ name }) => name === "bob");
  expect(bob?.inputs["server"]).toMatchObject({ name: "jump-2", hostKeys: [hostKey], containerSubnet: "10.0.4.0/24" });
});

test("what a server is told: its disk, whether it may be formatted, where its peers are", async () => {
  const tell = async (values: object) => {
    const vm = (await record({ servers: [1], ...values })).find(({ type }) => type === "gcp:compute/instance:Instance");
    return JSON.parse((vm?.inputs["metadata"] as Record<string, string>)["containarium-server"]!) as object;
  };
  const first = { dataDiskId: "containarium-prod-jump-1", mayFormat: true, fleetSubnet: "10.64.0.0/24", routePeers: false }; // prettier-ignore
  expect(await tell({})).toMatchObject(first);
  // A disk with data on it is never formatted; it is the server's own, whatever its generation.
  const restored = [{ server: 1, generation: 2, snapshot: "global/snapshots/monday" }];
  expect(await tell({ dataDisks: restored })).toMatchObject({ ...first, mayFormat: false });
  expect(await tell({ dataDisks: [{ server: 1, adopt: true }] })).toMatchObject({ ...first, mayFormat: false });
});
