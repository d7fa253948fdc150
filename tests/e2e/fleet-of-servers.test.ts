/**
 * Several servers: how one joins, dies and is missed, and what only several can do. The second story of a fresh clone,
 * told beside the first (`local-fleet.test.ts`), on a stack of its own.
 */
import { rmSync } from "node:fs";

import { aClass } from "./a-class";
import { balanced } from "./balanced";
import { usedClone, removeLeftovers } from "./clone";
import { moreServers } from "./more-servers";
import { moves } from "./moves";
import { TestFleet } from "./fleet";

const fleet = new TestFleet(usedClone());

beforeAll(async () => {
  await removeLeftovers();
  const { code, stdout, stderr } = await fleet.quickstart();
  if (code !== 0) throw new Error(stdout + stderr);
});

describe("more servers", () => moreServers(fleet));
describe("a class of thirty", () => aClass(fleet));
describe("moves", () => moves(fleet));
describe("a balanced fleet", () => balanced(fleet));

afterAll(async () => {
  await fleet.down();
  rmSync(fleet.clone, { recursive: true, force: true });
});
