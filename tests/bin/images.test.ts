import { FleetWorld } from "./fleet-world";
import { keys, run } from "./harness";

let world: FleetWorld;
beforeEach(async () => (world = await FleetWorld.start("jump-1", "jump-2")));
afterEach(() => world.close());

const cli = (...argv: string[]) => run(argv, world, world.fake.directory);
const json = async (...argv: string[]) => JSON.parse((await cli(...argv, "--json")).stdout);

/** As old as it is said to be, and baked with startup files of version 1. */
function bakedBefore(days: number): void {
  for (const { incus } of world.fakes) {
    const bakedAt = new Date(Date.now() - days * 86_400_000).toISOString();
    incus.images[0]!.properties = { "containarium.baked-at": bakedAt, "containarium.version": "1" };
  }
}

describe("image list", () => {
  it("shows every server's, and how many containers came from each", async () => {
    await world.add({ user: "alice", sshKeys: [keys.alice] }, "jump-2");
    const { fingerprint } = world.fake.incus.images[0]!;
    world.fakes[1]!.incus.instances.get("alice-container")!.config["volatile.base_image"] = fingerprint;
    const { images } = await json("image", "list");
    expect(images).toMatchObject([
      { server: "jump-1", name: "debian/13", alias: "containarium/debian/13", fingerprint, containers: 0 },
      { server: "jump-2", name: "debian/13", fingerprint, containers: 1 },
    ]);
    const { stdout } = await cli("image", "list", "--server", "jump-2");
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
  });

  it("shows no image without a name: that is one that was replaced, or is not ready", async () => {
    world.fake.incus.images[0]!.aliases = [];
    expect((await json("image", "list", "--server", "jump-1")).images).toEqual([]);
  });

  it("refuses a server that there is not", async () => {
    expect((await cli("image", "list", "--server", "jump-9")).code).toBe(3);
  });

  it("a server that does not answer: the others are shown, exit 8", async () => {
    await world.fakes[1]!.stop();
    const { code, stdout } = await cli("image", "list");
    expect([code, stdout.trimEnd().split("\n").length]).toEqual([8, 2]);
  });
});

describe("image outdated", () => {
  it("says nothing of a young image of the present startup files", async () => {
    bakedBefore(29);
    const { code, stdout, stderr } = await cli("image", "outdated");
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("Nothing is outdated");
  });

  it("an old one, with what to do; exit 0", async () => {
    bakedBefore(31);
    const { code, stdout } = await cli("image", "outdated");
    expect(code).toBe(0);
    expect(stdout).toMatch(/jump-1 .*old packages\n/);
    expect(stdout).toContain("npx containarium-ops image bake");
    expect((await json("image", "outdated", "--older-than", "5w")).images).toEqual([]);
  });

  it("one of other startup files", async () => {
    bakedBefore(1);
    world.fake.helper.imageVersion = "2";
    expect((await json("image", "outdated")).images).toMatchObject([{ server: "jump-1", reasons: ["version"] }]);
  });

  it("people whose container came from an earlier one", async () => {
    bakedBefore(1);
    await world.add({ user: "alice", sshKeys: [keys.alice] });
    world.fake.incus.instances.get("alice-container")!.config["volatile.base_image"] = "f".repeat(64);
    expect((await json("image", "outdated")).containers).toMatchObject([
      { user: "alice", server: "jump-1", image: "debian/13", copiedFrom: "f".repeat(64) },
    ]);
  });

  it.each(["banana", "0d", "-3d", "30"])("refuses --older-than %s", async (span) => {
    expect((await cli("image", "outdated", `--older-than=${span}`)).code).toBe(2);
  });
});

describe("image bake", () => {
  it("asks every server, says each step, shows what is there now", async () => {
    for (const { helper } of world.fakes) {
      helper.bakes = [
        { state: "none", steps: [] },
        { state: "running", steps: ["Starting"] },
        { state: "running", steps: ["Starting", "Trying a copy of it"] },
        { state: "done", steps: ["Starting", "Trying a copy of it", "Giving it the name"] },
      ];
    }
    const { code, stdout, stderr } = await cli("image", "bake");
    expect(code).toBe(0);
    expect(stdout).toMatch(/jump-1 .*\n.*jump-2 /);
    for (const name of ["jump-1", "jump-2"]) {
      for (const title of ["Starting", "Trying a copy of it", "Giving it the name"]) {
        expect(stderr).toMatch(new RegExp(`✓ ${title} .*${name}`));
      }
    }
    for (const { helper } of world.fakes) {
      expect(helper.requests).toContainEqual({ op: "image.bake", image: "debian/13" });
    }
  });

  it("one that fails: why, what is left, exit 1", async () => {
    world.fake.helper.bakes = [{ state: "failed", steps: ["Starting"], message: "no space left" }];
    const { code, stderr } = await cli("image", "bake", "--server", "jump-1");
    expect(code).toBe(1);
    expect(stderr).toContain("no space left");
    expect(stderr).toContain("new containers come from the image of before");
  });

  it("Ctrl-C: the server goes on, and the message says so", async () => {
    world.fake.helper.bakes = [{ state: "running", steps: ["Starting"] }];
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 700);
    const { code, stderr } = await run(["image", "bake", "--server", "jump-1"], world, world.fake.directory, {
      signal: stop.signal,
    });
    expect(code).toBe(130);
    expect(stderr).toContain("jump-1 goes on baking");
  });

  it.each([
    ["an image that the server does not bake", "alpine/3", 3],
    ["what is no image's name", "$(reboot)", 2],
  ])("refuses %s", async (_what, image, expected) => {
    expect((await cli("image", "bake", image, "--server", "jump-1")).code).toBe(expected);
    expect(world.fake.helper.requests.map(({ op }) => op)).not.toContain("image.bake");
  });
});
