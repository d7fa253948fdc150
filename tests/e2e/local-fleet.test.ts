/**
 * From a bare machine to `ssh alice-dev` and back, as README and its readers do it: a fresh clone, the real engine, real
 * Incus, real sshd. One story in order: each chapter needs the fleet that the ones before it left.
 */
import { rmSync } from "node:fs";

import { attacks } from "./attacks";
import { audit, auditOutlivesTheMachine } from "./audit";
import { badInput } from "./bad-input";
import { counts } from "./counts";
import { doctor } from "./doctor";
import { drill } from "./drill";
import { embedding } from "./embedding";
import { freshClone, removeLeftovers } from "./clone";
import { hostHelper } from "./host-helper";
import { imagesAndSync } from "./images-and-sync";
import { keysAndPower } from "./keys-and-power";
import { neighbours } from "./neighbours";
import { otherProject } from "./other-project";
import { people } from "./people";
import { pulumiUp } from "./pulumi-up";
import { quickstart, quickstartDown } from "./quickstart";
import { snapshotsAndBackups } from "./snapshots-and-backups";
import { theDiskIsTheMachine } from "./the-disk-is-the-machine";
import { TestFleet } from "./fleet";

const fleet = new TestFleet(freshClone());

beforeAll(removeLeftovers);

describe("npm run quickstart", () => quickstart(fleet));
describe("what a jump account cannot do", () => attacks(fleet));
describe("people", () => people(fleet));
describe("keys and power", () => keysAndPower(fleet));
describe("what commands ask of server and engine", () => counts(fleet));
describe("snapshots and backups", () => snapshotsAndBackups(fleet));
describe("doctor", () => doctor(fleet));
describe("images and sync", () => imagesAndSync(fleet));
describe("hostile neighbours", () => neighbours(fleet));
describe("bad input", () => badInput(fleet));
describe("pulumi up", () => pulumiUp(fleet));
describe("audit, sessions, bans, status", () => audit(fleet));
describe("the disk is the machine", () => theDiskIsTheMachine(fleet));
describe("the record and a machine that is gone", () => auditOutlivesTheMachine(fleet));
describe("a fire drill", () => drill(fleet));
describe("the host helper", () => hostHelper());
describe("another project", () => otherProject(fleet));
describe("a program that embeds a fleet", () => embedding(fleet));
describe("npm run quickstart:down", () => quickstartDown(fleet));

afterAll(async () => {
  // Also after a failure in the middle: nothing of the tests stays on the host.
  await fleet.down();
  rmSync(fleet.clone, { recursive: true, force: true });
});
