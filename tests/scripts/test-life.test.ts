import { readOptions } from "../../scripts/test-life";

const seven = () => 7;

it("a seed is drawn where none is given, and 200 operations", () => {
  const { env, files } = readOptions([], seven);
  expect(env).toEqual({ CONTAINARIUM_LIFE_OPERATIONS: "200", CONTAINARIUM_LIFE_SEED: "7" });
  expect(files).toEqual(["random-life.test.ts"]);
});

it("what a failure says is understood", () => {
  const { env } = readOptions(["--operations", "1000", "--seed", "42"], seven);
  expect(env).toEqual({ CONTAINARIUM_LIFE_OPERATIONS: "1000", CONTAINARIUM_LIFE_SEED: "42" });
});

it("--kills all alone is only that", () => {
  expect(readOptions(["--kills", "all"], seven)).toMatchObject({ env: { CONTAINARIUM_LIFE_KILLS: "all" }, files: ["kill-anywhere.test.ts"] }); // prettier-ignore
  expect(readOptions(["--kills", "all", "--seed", "1"], seven).files).toHaveLength(2);
});

it.each([[["--operations", "many"]], [["--seed=-1"]], [["--kills", "some"]], [["--banana"]]])(
  "%j is refused, with what is possible",
  (args) => {
    expect(() => readOptions(args, seven)).toThrow(expect.objectContaining({ remedy: expect.stringContaining("npm run test:life") })); // prettier-ignore
  },
);
