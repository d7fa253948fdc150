import { drawFault, drawOperation, EVERY_CHANGE } from "../life/draw";
import { Life } from "../life/life";
import { Random } from "../life/random";
import type { TestFleet } from "./fleet";

/** `npm run test:life -- --operations 1000 --seed N` says otherwise. */
const operations = Number(process.env["CONTAINARIUM_LIFE_OPERATIONS"] ?? EVERY_CHANGE.operations);
const seed = Number(process.env["CONTAINARIUM_LIFE_SEED"] ?? EVERY_CHANGE.seed);
/** After so many of them everybody is looked at. */
const CHAPTER = 20;
const TOLD_AT_FAILURE = 30;

/** Operations and faults from a seed. After a failure nothing more is tried: what would follow is another story. */
export function randomLife(fleet: TestFleet): void {
  let life: Life;
  let failed = false;

  beforeAll(async () => {
    process.stderr.write(`random life: seed ${seed}, ${operations} operations\n`);
    life = await Life.begin(fleet);
  });
  afterAll(() => life.end());

  const chapters = Array.from({ length: Math.ceil(operations / CHAPTER) }, (_, index) => index * CHAPTER);
  test.each(chapters.map((before) => [before + 1, Math.min(before + CHAPTER, operations)]))(
    `seed ${seed}: operations %i to %i`,
    async (first, last) => {
      if (failed) throw new Error("an operation before these failed");
      let number = first;
      try {
        for (; number <= last; number++) {
          const random = new Random(seed, number);
          const operation = drawOperation(life.world, number, random);
          await life.step(operation, drawFault(operation, random));
        }
        await life.fullCheck();
      } catch (error) {
        failed = true;
        throw new Error(
          [
            `operation ${number} of seed ${seed}: ${(error as Error).message}`,
            "What came before:",
            ...life.history.slice(-TOLD_AT_FAILURE),
            `Again: npm run test:life -- --operations ${operations} --seed ${seed}`,
          ].join("\n"),
          { cause: error },
        );
      }
    },
  );
}
