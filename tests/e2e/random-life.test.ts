/**
 * People's lives on a server on which everything goes wrong: each operation that is killed comes to its end when it is
 * run again, and whatever was drawn, six things hold. A fleet of its own. `npm run test:life` has more of it.
 */
import { rmSync } from "node:fs";

import { usedClone, removeLeftovers } from "./clone";
import { TestFleet } from "./fleet";
import { killAnywhere, killedUp } from "./kill-anywhere";
import { randomLife } from "./random-life";

const fleet = new TestFleet(usedClone());

beforeAll(async () => {
  await removeLeftovers();
  const { code, stdout, stderr } = await fleet.quickstart();
  if (code !== 0) throw new Error(stdout + stderr);
});

describe("killed anywhere", () => killAnywhere(fleet));
describe("killed anywhere: pulumi up", () => killedUp(fleet));
describe("random life", () => randomLife(fleet));

afterAll(async () => {
  await fleet.down();
  rmSync(fleet.clone, { recursive: true, force: true });
});
