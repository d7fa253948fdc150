import { changesIn, errorsIn, operationsOf, summaryOf } from "./operations";

const urn = (type: string, name: string) => `urn:pulumi:test::containarium::containarium:Fleet$${type}::${name}`;
const custom = { custom: true };
const lines = (...events: object[]) => events.map((event) => JSON.stringify(event)).join("\n");
const pre = (op: string, type: string, name: string, more: object = {}) => ({
  resourcePreEvent: { metadata: { op, urn: urn(type, name), new: custom, old: custom, detailedDiff: null, ...more } },
});

test("what the engine did, resource by resource; a replacement is one operation", () => {
  const output = lines(
    pre("create", "containarium:gcp:JumpServer", "jump-1", { new: { custom: false }, old: null }),
    pre("same", "pulumi:providers:gcp", "default"),
    pre("create", "gcp:compute/disk:Disk", "data"),
    pre("create-replacement", "gcp:compute/instance:Instance", "vm", { detailedDiff: { "networkInterfaces[0].x": {}, zone: {} } }), // prettier-ignore
    pre("replace", "gcp:compute/instance:Instance", "vm"),
    pre("delete-replaced", "gcp:compute/instance:Instance", "vm", { new: null }),
    pre("delete", "gcp:compute/disk:Disk", "old", { new: null, old: { custom: true, retainOnDelete: true } }),
    pre("same", "gcp:compute/network:Network", "net"),
    pre("delete", "gcp:compute/route:Route", "r", { new: null }),
    { resOpFailedEvent: { metadata: { urn: urn("gcp:compute/route:Route", "r") } } },
    { diagnosticEvent: { severity: "error", message: "in use\n" } },
  );
  expect(summaryOf(operationsOf(output))).toEqual([
    "create Disk data",
    "delete Route r FAILED",
    "replace Instance vm (networkInterfaces[].x, zone)",
    "retain Disk old",
    "same Network net",
  ]);
  expect(changesIn(output)).toHaveLength(4);
  expect(errorsIn(output)).toEqual(["in use"]);
});

test("what a preview plans", () => {
  const step = { op: "update", urn: urn("gcp:compute/disk:Disk", "data"), newState: custom, oldState: custom, detailedDiff: { size: {} } }; // prettier-ignore
  expect(summaryOf(operationsOf(JSON.stringify({ steps: [step] }, null, 2)))).toEqual(["update Disk data (size)"]);
});

test("what a refresh found", () => {
  const ended = { resOutputsEvent: { metadata: { op: "delete", urn: urn("gcp:compute/disk:Disk", "data"), old: custom } } }; // prettier-ignore
  const output = lines(pre("refresh", "gcp:compute/disk:Disk", "data"), ended);
  expect(summaryOf(operationsOf(output))).toEqual(["delete Disk data"]);
});
