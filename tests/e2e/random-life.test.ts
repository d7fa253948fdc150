/**
 * People's lives on a server on which everything goes wrong: whatever is drawn, six things hold. A fleet of its own.
 * As long as one likes: `npm run test:life`.
 */
import { fleetOfItsOwn } from "./fleet";
import { randomLife } from "./random-life";

const fleet = fleetOfItsOwn();

describe("random life", () => randomLife(fleet));
