/**
 * A Debian 13 server with ZFS, as Compute Engine would boot it, from its blank data disk to the day when its boot disk is
 * another one. One story in order: each chapter needs the server that the ones before it left.
 */
import { docker } from "./docker";
import { powerButton, preempted } from "./end";
import { blankDisk, pool } from "./first-boot";
import { leftoverDisk } from "./leftover-disk";
import { blankDiskInstead, newBootDisk } from "./new-boot-disk";
import { clones, people } from "./people";
import { powerCut } from "./power-cut";
import { protections } from "./protections";
import { growth, quota } from "./quota";
import { reboot } from "./reboot";
import { TestServer } from "./test-server";

const server = new TestServer();

beforeAll(() => server.prepare());
afterAll(() => server.close());

describe("the first boot", () => {
  blankDisk(server);
  pool(server);
});
describe("people", () => {
  people(server);
  clones(server);
});
describe("what a dead server left", () => leftoverDisk(server));
describe("what protects them", () => protections(server));
describe("room on the disk", () => {
  growth(server);
  quota(server);
});
describe("Docker", () => docker(server));
describe("a reboot", () => reboot(server));
describe("a power cut", () => powerCut(server));
describe("the end", () => powerButton(server));
describe("another boot disk", () => newBootDisk(server));
describe("a preemption", () => preempted(server));
describe("a blank disk in its place", () => blankDiskInstead(server));
