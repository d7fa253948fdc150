const { lostPeople } = require("../../../scripts/quickstart/bring-up") as {
  lostPeople(state: unknown, configured: unknown): string[];
};

const urn = (type: string, name: string) => `urn:pulumi:local::containarium::${type}::${name}`;
const resource = (type: string, name: string) => ({ type, urn: urn(type, name) });
const container = "pulumi-nodejs:dynamic/containarium:Container";
const state = {
  deployment: {
    resources: [
      resource("pulumi-nodejs:dynamic/containarium:LocalMachine", "jump-1"),
      resource(container, "alice"),
      resource(container, "bob"),
    ],
  },
};

test.each([
  ["everybody is in the config", state, [{ user: "alice" }, { user: "bob" }, { user: "new" }], []],
  ["bob's entry was dropped", state, [{ user: "alice" }], ["bob"]],
  ["the whole list was dropped", state, undefined, ["alice", "bob"]],
  ["a new stack", {}, undefined, []],
])("%s", (_what, exported, configured, lost) => {
  expect(lostPeople(exported, configured)).toEqual(lost);
});
