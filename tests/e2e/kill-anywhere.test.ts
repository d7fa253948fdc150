/**
 * Operations that are killed in the middle of each of their steps come to their end when they are run again. A fleet of
 * its own. `npm run test:life -- --kills all` kills in every step and in every way.
 */
import { fleetOfItsOwn } from "./fleet";
import { killAnywhere, killedUp } from "./kill-anywhere";

const fleet = fleetOfItsOwn();

describe("killed anywhere", () => killAnywhere(fleet));
describe("killed anywhere: pulumi up", () => killedUp(fleet));
