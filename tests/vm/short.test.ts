/**
 * What every run of `npm test` has of the story in debian-zfs.test.ts: from a blank data disk, in two boots and for one
 * person, to being back on another boot disk after a power cut. Also: `npm run test:vm -- --short`
 */
import { blankDisk } from "./first-boot";
import { foreignDiskThenOwn } from "./new-boot-disk";
import { people } from "./people";
import { powerCut } from "./power-cut";
import { quota } from "./quota";
import { TestServer } from "./test-server";

const server = new TestServer(true);

beforeAll(() => server.prepare());
afterAll(() => server.close());

describe("the first boot", () => blankDisk(server));
describe("people", () => people(server));
describe("room on the disk", () => quota(server));
describe("a power cut, and another boot disk, at first with a foreign data disk", () =>
  powerCut(server, () => foreignDiskThenOwn(server)));
