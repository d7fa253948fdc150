import * as gcp from "@pulumi/gcp/compute";
import * as pulumi from "@pulumi/pulumi";

import { recordResources } from "./recorder";
import { types } from "./resource";

jest.setTimeout(60_000);

const disk = (name: string, options?: pulumi.CustomResourceOptions) =>
  new gcp.Disk(name, { name: `${name}-disk`, zone: "us-central1-a", size: 10 }, options);

const guestAttributes = () =>
  gcp.getInstanceGuestAttributesOutput({ name: "vm", zone: "us-central1-a", queryPath: "containarium/" });

test("inputs, outputs of other resources among them, as the provider would get them", async () => {
  const resources = await recordResources(() => {
    const address = new gcp.Address("ext", { name: "ext", region: "europe-west4" });
    new gcp.DiskResourcePolicyAttachment("snapshots", {
      name: "daily",
      disk: disk("data").selfLink,
      zone: "us-central1-a",
    });
    new gcp.ForwardingRule("rule", { name: "rule", ipAddress: address.address, ports: [pulumi.secret("22")] });
  });
  const inputs = Object.fromEntries(resources.map((one) => [one.name, one.inputs]));
  expect(inputs).toEqual({
    ext: { name: "ext", region: "europe-west4" },
    data: { name: "data-disk", zone: "us-central1-a", size: 10 },
    snapshots: {
      name: "daily",
      disk: "https://www.googleapis.com/compute/v1/projects/some-project/zones/us-central1-a/disks/data-disk",
      zone: "us-central1-a",
    },
    rule: { name: "rule", ipAddress: resources.find(({ name }) => name === "ext")?.outputs?.address, ports: ["22"] },
  });
  expect(inputs.rule?.ipAddress).toMatch(/^2[45]\d\.\d+\.\d+\.\d+$/);
});

test("options, those that a parent passes on among them", async () => {
  class Home extends pulumi.ComponentResource {
    constructor(name: string, options: pulumi.ComponentResourceOptions) {
      super("test:index:Home", name, { size: 1 }, options);
      disk("data", { parent: this, retainOnDelete: true, ignoreChanges: ["size"], import: "some/id", aliases: [{ name: "old" }] }); // prettier-ignore
      this.registerOutputs({});
    }
  }
  const resources = await recordResources(
    () => {
      const home = new Home("home", { protect: true });
      disk("other", { deleteBeforeReplace: true, dependsOn: home, customTimeouts: { create: "5m" } });
    },
    { stack: "prod" },
  );
  const of = (name: string) => resources.find((one) => one.name === name)!;
  expect(of("home")).toMatchObject({ type: "test:index:Home", inputs: { size: 1 }, options: { protect: true } });
  expect(of("data")).toMatchObject({
    type: types.disk,
    urn: "urn:pulumi:prod::containarium::test:index:Home$gcp:compute/disk:Disk::data",
    options: { protect: true, retainOnDelete: true, ignoreChanges: ["size"], import: "some/id", parent: of("home").urn, aliases: ["old"] }, // prettier-ignore
  });
  expect(of("data").options).not.toHaveProperty("deleteBeforeReplace");
  expect(of("other").options).toMatchObject({ deleteBeforeReplace: true, customTimeouts: { create: "5m" } });
  expect(of("other").options?.dependencies).toContain(of("data").urn);
});

test("what depends on an answer is waited for", async () => {
  const asked: unknown[] = [];
  const resources = await recordResources(
    () => {
      guestAttributes().apply(({ variableValue }) => {
        disk(`of-${variableValue}`).id.apply(() => disk("last"));
      });
    },
    {
      async invoke(token, inputs) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        asked.push(token, inputs);
        return { variableValue: "key" };
      },
    },
  );
  expect(resources.map(({ name }) => name)).toEqual(["of-key", "last"]);
  expect(asked).toEqual([
    "gcp:compute/getInstanceGuestAttributes:getInstanceGuestAttributes",
    { name: "vm", zone: "us-central1-a", queryPath: "containarium/" },
  ]);
});

test("dynamic resources are recorded, without their code, and do not run", async () => {
  class Note extends pulumi.dynamic.Resource {
    constructor(name: string, text: pulumi.Input<string>) {
      const provider = { create: async () => { throw new Error("it ran"); } }; // prettier-ignore
      super(provider as pulumi.dynamic.ResourceProvider, name, { text }, undefined, "test", "Note");
    }
  }
  const resources = await recordResources(() => new Note("note", "hello"));
  expect(resources).toMatchObject([
    { type: "pulumi-nodejs:dynamic/test:Note", name: "note", inputs: { text: "hello" } },
  ]);
  expect(Object.keys(resources[0]!.inputs)).toEqual(["text"]);
});

test("settings and outputs that a test gives", async () => {
  const resources = await recordResources(
    () => {
      const name = new pulumi.Config("containarium").require("name");
      disk("copy", { dependsOn: [] });
      new gcp.Disk(name, { name, labels: { of: disk("first").diskId } });
    },
    {
      config: { "containarium:name": "second" },
      outputs: ({ name }) => (name === "first" ? { diskId: "7" } : undefined),
    },
  );
  expect(resources.find(({ name }) => name === "second")?.inputs.labels).toEqual({ of: "7" });
});

test("one recording knows nothing of the one before", async () => {
  await recordResources(() => disk("one"));
  expect((await recordResources(() => disk("two"))).map(({ name }) => name)).toEqual(["two"]);
});

test.each<[string, () => unknown, RegExp]>([
  ["thrown by the program", () => { throw new Error("wrong setting"); }, /wrong setting/],
  ["of a program that waits", async () => { await Promise.reject(new Error("no such file")); }, /no such file/],
  ["of an apply that nobody keeps", () => disk("data").id.apply(() => { throw new Error("in between"); }), /in between/],
  ["of an input", () => new gcp.Disk("data", { name: disk("first").name.apply(() => { throw new Error("bad name"); }) }), /bad name/],
  ["of a question that nobody answers", () => guestAttributes().apply(() => disk("never")), /nobody answers gcp:compute/],
])("an error %s is an error of the recording", async (_whose, program, message) => {
  await expect(recordResources(program)).rejects.toThrow(message);
}); // prettier-ignore

test("a refused resource is an error of the recording", async () => {
  const outputs = () => { throw new Error("quota exceeded"); }; // prettier-ignore
  await expect(recordResources(() => disk("data"), { outputs })).rejects.toThrow(/data \[gcp:compute\/disk:Disk\]: quota exceeded/); // prettier-ignore
});

test("a resource that waits for what never comes is named", async () => {
  const never = new Promise<string>(() => undefined);
  const program = () => new gcp.Disk("stuck", { name: never });
  await expect(recordResources(program, { limit: 200 })).rejects.toThrow(
    /not registered: stuck \[gcp:compute\/disk:Disk\]/,
  );
});
