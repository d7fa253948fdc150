import { argsOf, declarationProblems } from "./declarations";
import { all, type Change, set, setFirst } from "./change";
import { prodFleet, regularFleet } from "./fleets";
import { types } from "./resource";

const problemsAfter = ({ at, apply }: Change) =>
  declarationProblems(apply(prodFleet()).find(({ name }) => name === at)!);

test("every type of a fleet is declared", () => {
  for (const type of Object.values(types)) expect(argsOf(type).members.size).toBeGreaterThan(3);
  expect(() => argsOf("gcp:compute/instance:Instanze")).toThrow("declares no InstanzeArgs");
  expect(() => argsOf("gcp:compute/nothing:Nothing")).toThrow("declares no gcp:compute/nothing:Nothing");
});

test("nothing is wrong with a right fleet", () => {
  for (const resource of [...prodFleet(), ...regularFleet()])
    expect([resource.name, ...declarationProblems(resource)]).toEqual([resource.name]);
});

test.each<[string, Change, string]>([
  ["a misspelt input", set("jump-1", { machinetype: "n2" }), "machinetype: there is no such input"],
  ["one inside another", set("jump-1", { bootDisk: { initializeParams: { sise: 10 } } }), "bootDisk.initializeParams.sise: there is no such input"],
  ["one inside a list", setFirst("jump-1", "attachedDisks", { devicename: "x" }), "attachedDisks[0].devicename: there is no such input"],
  ["one that is of another resource", set("jump-1-route", { nextHop: "x" }), "nextHop: there is no such input"],
  ["text for a number", set("jump-1-data", { size: "100" }), "size: is string, not number"],
  ["a number for text", setFirst("allow-ssh", "allows", { ports: [22] }), "allows[0].ports[0]: is number, not string"],
  ["text for a boolean", set("jump-1", { canIpForward: "true" }), "canIpForward: is string, not boolean"],
  ["a list for an object", set("jump-1", { scheduling: [{ preemptible: true }] }), "scheduling: is array, not object"],
  ["an object for a list", set("jump-1", { attachedDisks: { source: "x" } }), "attachedDisks: is object, not array"],
  ["a list for text", set("ssh-backend", { healthChecks: ["x"] }), "healthChecks: is array, not string"],
  ["a number in the metadata", set("jump-1", { metadata: { port: 22 } }), "metadata.port: is number, not string"],
  ["a missing input", set("jump-1-route", { destRange: undefined }), "destRange: is required"],
  ["one that is missing inside another", set("starter-role", { title: undefined }), "title: is required"],
  ["one that is missing in a list", setFirst("allow-ssh", "allows", { protocol: undefined }), "allows[0].protocol: is required"],
  ["a wrong word", set("jump-1-ext", { addressType: "External" }), 'addressType: "External" is none of INTERNAL, EXTERNAL'],
  ["a wrong word inside another", set("jump-1", { scheduling: { provisioningModel: "CHEAP" } }), 'scheduling.provisioningModel: "CHEAP" is none of STANDARD, SPOT, FLEX_START, RESERVATION_BOUND'],
  ["a wrong mode", setFirst("jump-1", "attachedDisks", { mode: "RW" }), 'attachedDisks[0].mode: "RW" is none of READ_ONLY, READ_WRITE'],
  ["a wrong balancing mode", setFirst("ssh-backend", "backends", { balancingMode: "CONNECTIONS" }), 'backends[0].balancingMode: "CONNECTIONS" is none of UTILIZATION, RATE, CONNECTION, CUSTOM_METRICS'],
])("%s is found", (_what, change, problem) => {
  expect(problemsAfter(change)).toEqual([problem]);
}); // prettier-ignore

test("all that is wrong is said", () => {
  expect(problemsAfter(all(set("jump-1-data", { size: "1", colour: "red" })))).toHaveLength(2);
});

test("other installed packages are declared too", () => {
  const right = { connection: { host: "203.0.113.1", user: "admin" }, create: "true", triggers: [1] };
  expect(declarationProblems({ type: "command:remote:Command", inputs: right })).toEqual([]);
  expect(
    declarationProblems({ type: "command:remote:Command", inputs: { ...right, connection: { hots: "x" } } }),
  ).toEqual(["connection.hots: there is no such input", "connection.host: is required"]);
});
