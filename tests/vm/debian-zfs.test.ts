/**
 * A Debian 13 server with ZFS, as Compute Engine would boot it, from its blank data disk to the day when its boot disk is
 * another one. One story in order: each chapter needs the server that the ones before it left.
 */
import { docker } from "./docker";
import { powerButton, preempted } from "./end";
import { firstBoot } from "./first-boot";
import { leftoverDisk } from "./leftover-disk";
import { blankDiskInstead, newBootDisk } from "./new-boot-disk";
import { people } from "./people";
import { powerCut } from "./power-cut";
import { protections } from "./protections";
import { quota } from "./quota";
import { reboot } from "./reboot";
import { TestServer } from "./test-server";

const server = new TestServer();

beforeAll(() => server.prepare());
afterAll(() => server.close());

describe("the first boot", () => firstBoot(server));
describe("people", () => people(server));
describe("what a dead server left", () => leftoverDisk(server));
describe("what protects them", () => protections(server));
describe("room on the disk", () => quota(server));
describe("Docker", () => docker(server));
describe("a reboot", () => reboot(server));
describe("a power cut", () => powerCut(server));
describe("the end", () => powerButton(server));
describe("another boot disk", () => newBootDisk(server));
describe("a preemption", () => preempted(server));
describe("a blank disk in its place", () => blankDiskInstead(server));
