/**
 * What each command asks of the servers and of the engine. Seconds depend on the machine, these numbers do not: where one
 * grows, people wait longer everywhere. If it has to, say so here; if it shrank, say that too, so that it stays.
 */
import { commands } from "../../bin/commands";
import { CountedFleet } from "./counted-fleet";
import type { Counts } from "./counted-fleet";

/** One story on one server, in order: engine starts, SSH logins, REST requests, runs of the helper, dials. */
const story: [commandLine: string, ...counts: [number, number, number, number, number]][] = [
  //                                                engine login  REST helper dials
  ["list", 1, 1, 1, 2, 0],
  ["status", 1, 1, 1, 7, 0],
  ["create alice --ssh-key alice.pub", 2, 1, 22, 9, 0],
  ["list", 1, 1, 1, 2, 0],
  ["info alice", 1, 1, 10, 2, 2],
  ["export alice", 1, 1, 1, 1, 1],
  ["create bob --ssh-key bob.pub", 2, 1, 22, 9, 0],
  ["list", 1, 1, 1, 2, 0],
  ["status", 1, 1, 1, 7, 0],
  ["keys list alice", 1, 1, 1, 1, 1],
  ["keys add alice --ssh-key bob.pub", 2, 1, 11, 4, 1],
  ["keys remove alice --key bob.pub", 2, 1, 13, 5, 1],
  ["keys replace alice --key alice.pub --ssh-key bob.pub", 2, 1, 13, 5, 1],
  ["resize alice --memory 2GiB", 2, 1, 12, 4, 2],
  ["stop alice", 1, 1, 5, 4, 1],
  ["start alice", 1, 1, 6, 5, 1],
  ["restart alice", 1, 1, 10, 6, 2],
  ["autostart alice off", 2, 1, 6, 4, 2],
  ["snapshot create alice --name one", 1, 1, 5, 3, 1],
  ["snapshot list alice", 1, 1, 3, 1, 1],
  ["snapshot restore alice one --force", 1, 1, 25, 9, 3],
  ["snapshot schedule alice --at @daily", 2, 1, 6, 4, 2],
  ["snapshot delete alice one --force", 1, 1, 5, 3, 1],
  ["backup alice -o alice.tar", 1, 1, 8, 4, 1],
  ["sessions", 1, 1, 0, 1, 0],
  ["audit", 1, 1, 0, 1, 0],
  ["bans list", 1, 1, 0, 1, 0],
  ["bans add 198.51.100.7", 1, 1, 0, 3, 0],
  ["bans remove 198.51.100.7", 1, 1, 0, 3, 0],
  ["bans history", 1, 1, 0, 1, 0],
  ["doctor", 1, 1, 0, 1, 0],
  ["doctor alice", 1, 1, 0, 1, 0],
  ["verify-access alice", 1, 1, 0, 1, 0],
  ["image list", 1, 1, 2, 1, 0],
  ["image outdated", 1, 1, 2, 1, 0],
  ["sync", 1, 1, 1, 0, 0],
  ["delete alice --force", 2, 1, 7, 5, 1],
  ["restore alice alice.tar", 2, 1, 21, 8, 0],
  ["delete alice bob --force", 2, 1, 14, 10, 2],
];

describe("on one server", () => {
  let fleet: CountedFleet;
  beforeAll(async () => void (fleet = await CountedFleet.start(1)));
  afterAll(() => fleet.close());

  test.each(story)("%s", async (commandLine, engine, logins, rest, helper, dials) => {
    expect(await fleet.count(commandLine)).toEqual({ engine, logins, rest, helper, dials } satisfies Counts);
  });

  /** Two servers that talk to each other, a bake of minutes, a server that dies; and what asks nobody. */
  const untold = ["move", "image bake", "completion", "drill preempt"];

  test("no command is forgotten", () => {
    const told = story.map(([commandLine]) => commandLine);
    const names = commands.map(({ usage }) => usage.replace(/ [<[].*/, ""));
    expect(names.filter((name) => !told.some((one) => `${one} `.startsWith(`${name} `)))).toEqual(untold);
  });
});

describe("on two servers", () => {
  let fleet: CountedFleet;
  beforeAll(async () => void (fleet = await CountedFleet.start(2)));
  afterAll(() => fleet.close());

  const people = (count: number) => Array.from({ length: count }, (_, index) => `user${index + 1}`).join(" ");

  test("a whole class is one login on each server, and one run of the engine at the end", async () => {
    const { rest, ...others } = await fleet.count(`create ${people(6)} --ssh-key {user}.pub`);
    expect(others).toMatchObject({ engine: 2, logins: 2 });
    // Who takes an address in the same moment as another takes one more, and looks again.
    expect(rest).toBeLessThan(6 * 30);
  });

  test("whatever is asked of everybody costs the same for two people as for six, but for their own banners", async () => {
    const asked = ["list", "status", "sync", "sessions", "doctor", "image list", "image outdated", "info user1"];
    const cost = async () => {
      const costs: Record<string, Counts> = {};
      for (const commandLine of asked) costs[commandLine] = { ...(await fleet.count(commandLine)), dials: 0 };
      return costs;
    };
    const ofSix = await cost();
    await fleet.count("delete user3 user4 user5 user6 --force");
    expect(await cost()).toEqual(ofSix);
    expect(ofSix["list"]).toMatchObject({ engine: 1, logins: 2, rest: 2, helper: 4 });
  });
});

test("help and version ask nobody", async () => {
  const fleet = await CountedFleet.start(1);
  const nothing: Counts = { engine: 0, logins: 0, rest: 0, helper: 0, dials: 0 };
  for (const commandLine of ["--help", "--version", "create --help", "completion bash"])
    expect({ commandLine, ...(await fleet.count(commandLine)) }).toEqual({ commandLine, ...nothing });
  await fleet.close();
});
