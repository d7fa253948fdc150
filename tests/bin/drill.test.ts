import type { Drill, Services } from "../../bin/services";
import type { ServerAddress } from "../../ops/fleet/inventory";
import { run, World } from "./harness";

const fine = (server: string): Drill => ({
  server,
  ended: "restart",
  endedAt: "2026-11-24T10:00:00.000Z",
  steps: [{ title: "The server ended", milliseconds: 0 }],
  people: [{ user: "alice", acknowledged: 12, kept: 12, homeFiles: 5, backMilliseconds: 9500, problems: [] }],
  problems: [],
});

/** A world in which drills end as told, one after the other; then well. */
class DrillWorld extends World {
  readonly ended: string[] = [];

  constructor(private readonly outcomes: ((server: string) => Drill)[] = []) {
    super();
    const drillPreemption = async ({ name }: ServerAddress) => {
      this.ended.push(name);
      return (this.outcomes.shift() ?? fine)(name);
    };
    Object.assign(this.services, { drillPreemption } satisfies Pick<Services, "drillPreemption">);
  }
}

const drill = (world: World, args: string[], typed?: string) =>
  run(["drill", "preempt", ...args], world, "/", { typed });

test("says how everybody fared, and how long they were shut out", async () => {
  const { code, stdout } = await drill(new DrillWorld(), ["--yes"]);
  expect(stdout).toMatch(/^alice +9\.5s +12\/12 +5 +as before$/m);
  expect(stdout).toContain("0 lost, 0 changed, 0 not back, 0 unproven; in again after 9.5s (median), 9.5s (worst)");
  expect(code).toBe(0);
});

test("without --yes the server's name has to be typed", async () => {
  const world = new DrillWorld();
  expect((await drill(world, [], "jump-1\n")).code).toBe(0);
  expect((await drill(world, [], "yes\n")).code).toBe(2);
  expect((await drill(world, [])).stderr).toMatch(/nobody is at a terminal[^]*drill preempt --yes/);
  expect(world.ended).toEqual(["jump-1"]);
});

test.each<[string, Drill["people"][number]["problems"], Drill["problems"]]>([
  ["something of alice's is lost", [{ kind: "lost", message: "3 of 12 acknowledged lines are gone" }], []],
  ["alice is not back", [{ kind: "not-back", message: "no SSH banner" }], []],
  ["the server is not back", [], [{ kind: "not-back", message: "waited 600s" }]],
  ["the server has another host key", [], [{ kind: "changed", message: "another host key" }]],
])("exit 1 with the name when %s", async (_what, ofAlice, ofServer) => {
  const world = new DrillWorld([
    (server) => ({
      ...fine(server),
      people: fine(server).people.map((person) => ({ ...person, problems: ofAlice })),
      problems: ofServer,
    }),
  ]);
  // The first that goes wrong is the last.
  const { code, stdout, stderr } = await drill(world, ["--yes", "--json", "--times", "5"]);
  const { drills, failures } = JSON.parse(stdout);
  const subject = ofAlice.length > 0 ? "alice" : "jump-1";
  expect(failures).toEqual([expect.objectContaining({ subject, kind: "failed" })]);
  expect(stderr).toContain(subject);
  expect([code, drills.length, world.ended]).toEqual([1, 1, ["jump-1"]]);
});

test("several servers at the same time, several times", async () => {
  const world = Object.assign(new DrillWorld(), { servers: ["jump-1", "jump-2", "jump-3"] });
  const { code, stdout } = await drill(world, ["--servers", "2", "--times", "3", "--yes", "--json"]);
  expect(code).toBe(0);
  expect(world.ended).toEqual(Array(3).fill(["jump-1", "jump-2"]).flat());
  expect(JSON.parse(stdout).drills.map(({ run: number }: { run: number }) => number)).toEqual([1, 1, 2, 2, 3, 3]);
});

test.each([
  [["--servers", "0"]],
  [["--servers", "2"]],
  [["--times", "many"]],
  [["--timeout", "10"]],
  [["--server", "jump-9"]],
  [["--local"]],
])("%j ends nothing", async (args) => {
  const world = new DrillWorld();
  expect((await drill(world, ["--yes", ...args])).code).toBe(2);
  expect(world.ended).toEqual([]);
});
