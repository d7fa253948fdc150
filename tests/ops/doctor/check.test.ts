import { settle, verdictOf, type ServerCheck } from "../../../ops/doctor/check";

const check = (name: string, state: ServerCheck["state"], ...depends: [string, string][]): ServerCheck => ({
  name,
  state,
  detail: "...",
  remedy: "...",
  depends: depends.map(([server, one]) => ({ server, check: one })),
});
const states = (checks: Record<string, ServerCheck[]>) =>
  settle(new Map(Object.entries(checks))).map(({ server, name, state }) => `${server} ${name}: ${state}`);

it("what fails because of another server is not tried, and has no remedy", () => {
  const hears = check("hears jump-2", "failed", ["jump-2", "fleet service"]);
  const checks = { "jump-1": [hears], "jump-2": [check("SSH", "failed"), check("everything else", "skipped")] };
  expect(states(checks)).toEqual([
    "jump-1 hears jump-2: skipped",
    "jump-2 SSH: failed",
    "jump-2 everything else: skipped",
  ]);
  const [settled] = settle(new Map(Object.entries(checks)));
  expect(settled).toMatchObject({ detail: "needs fleet service of jump-2" });
  expect(settled).not.toHaveProperty("remedy");
});

it.each<[string, ServerCheck["state"], ServerCheck["state"]]>([
  ["the other is well: the failure is this server's own", "ok", "failed"],
  ["the other has a warning, which is well", "warning", "failed"],
  ["the other failed", "failed", "skipped"],
  ["the other was not tried", "skipped", "skipped"],
])("%s", (_what, other, expected) => {
  const checks = { a: [check("hears b", "failed", ["b", "service"])], b: [check("service", other)] };
  expect(states(checks)[0]).toBe(`a hears b: ${expected}`);
});

it("what went well stays, whatever the other says; a server that nobody asks decides nothing", () => {
  expect(states({ a: [check("x", "ok", ["b", "y"])], b: [check("y", "failed")] })[0]).toBe("a x: ok");
  expect(states({ a: [check("x", "failed", ["b", "y"])] })).toEqual(["a x: failed"]);
});

it.each<[string, ServerCheck[], Parameters<typeof verdictOf>[1], string | undefined]>([
  ["all well", [check("a", "ok")], [], undefined],
  ["warnings are well", [check("a", "warning")], [], undefined],
  ["something failed", [check("a", "failed")], [], "failed"],
  ["a server that cannot be reached", [check("SSH", "failed")], ["unreachable"], "unreachable"],
  ["both: what is wrong where we were", [check("SSH", "failed"), check("a", "failed")], ["unreachable"], "failed"],
])("verdict: %s", (_what, checks, unreached, expected) => {
  const settled = checks.map(({ depends: _depends, ...one }) => ({ server: "a", ...one }));
  expect(verdictOf(settled, unreached)).toBe(expected);
});
