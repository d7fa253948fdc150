/**
 * Several servers: how one joins, dies and is missed, and what only several can do. Told beside the story
 * of a fresh clone (`local-fleet.test.ts`), on a stack of its own.
 */
import { aClass } from "./a-class";
import { balanced } from "./balanced";
import { fleetOfItsOwn } from "./fleet";
import { moreServers } from "./more-servers";
import { moves } from "./moves";

const fleet = fleetOfItsOwn();

describe("more servers", () => moreServers(fleet));
describe("a class of thirty", () => aClass(fleet));
describe("moves", () => moves(fleet));
describe("a balanced fleet", () => balanced(fleet));
