/**
 * A Debian 13 server with ZFS, as Compute Engine would boot it, from its blank data disk to the day when its boot disk is
 * another one. One story in order: each chapter needs the server that the ones before it left.
 */
import { firstBoot } from "./first-boot";
import { newBootDisk } from "./new-boot-disk";
import { powerCut } from "./power-cut";
import { quota } from "./quota";
import { reboot } from "./reboot";
import { TestServer } from "./test-server";

const server = new TestServer();

beforeAll(() => server.prepare());
afterAll(() => server.close());

describe("the first boot", () => firstBoot(server));
describe("room on the disk", () => quota(server));
describe("a reboot", () => reboot(server));
describe("a power cut", () => powerCut(server));
describe("another boot disk", () => newBootDisk(server));
