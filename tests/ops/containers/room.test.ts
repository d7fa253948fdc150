import { ConflictError } from "../../../ops";
import { assertRoom } from "../../../ops/containers/room";
import type { ServerStatus } from "../../../ops/host/helper-protocol";

const kernel = {
  "fs.inotify.max_user_instances": 8192,
  "kernel.keys.maxkeys": 20000,
  "kernel.pid_max": 4194304,
  "kernel.threads-max": 500000,
};
const statusOf = (changes: Partial<ServerStatus>): ServerStatus =>
  ({ kernel, tasks: 500, pool: { totalBytes: 100e9, usedBytes: 10e9 }, ...changes }) as ServerStatus;

function refusal(containers: number, changes: Partial<ServerStatus>): ConflictError | undefined {
  try {
    assertRoom(statusOf(changes), containers, "jump-1");
    return undefined;
  } catch (error) {
    if (error instanceof ConflictError) return error;
    throw error;
  }
}

it.each<[string, number, Partial<ServerStatus>]>([
  ["a hundred and fifty on a server that startup has been through", 149, {}],
  ["the ninth with stock inotify", 8, { kernel: { ...kernel, "fs.inotify.max_user_instances": 128 } }],
  ["a pool at ninety percent", 10, { pool: { totalBytes: 100e9, usedBytes: 90e9 } }],
  ["a server of an older version, which does not say", 10, { kernel: undefined, tasks: undefined }],
])("has room for %s", (_what, containers, changes) => expect(refusal(containers, changes)).toBeUndefined());

it.each<[string, number, Partial<ServerStatus>, RegExp, RegExp]>([
  [
    "the tenth with stock inotify, whose init would die",
    9,
    { kernel: { ...kernel, "fs.inotify.max_user_instances": 128 } },
    /fs\.inotify\.max_user_instances is 128, and 10 containers need 130/,
    /systemctl restart containarium-startup/,
  ],
  [
    "too few keys",
    190,
    { kernel: { ...kernel, "kernel.keys.maxkeys": 200 } },
    /kernel\.keys\.maxkeys is 200/,
    /containarium-startup/,
  ],
  [
    "no process numbers left",
    10,
    { kernel: { ...kernel, "kernel.pid_max": 32768 }, tasks: 32600 },
    /kernel\.pid_max is 32768, and 32600 processes/,
    /containarium-startup/,
  ],
  [
    "no threads left",
    10,
    { kernel: { ...kernel, "kernel.threads-max": 600 } },
    /kernel\.threads-max is 600/,
    /containarium-startup/,
  ],
  ["a full pool", 10, { pool: { totalBytes: 100e9, usedBytes: 91e9 } }, /9\.0 GB free of 100\.0 GB/, /dataDiskSizeGb/],
  ["a small pool", 1, { pool: { totalBytes: 5e9, usedBytes: 4.1e9 } }, /900\.0 MB free/, /dataDiskSizeGb/],
])("refuses %s", (_what, containers, changes, message, remedy) => {
  const error = refusal(containers, changes);
  expect(error?.message).toMatch(message);
  expect(error?.message).toMatch(/^jump-1 has no room for one more container: /);
  expect(error?.remedy).toMatch(remedy);
  expect(error?.kind).toBe("conflict");
});
