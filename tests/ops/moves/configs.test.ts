import { KEY } from "../../../ops/containers/instance-config";
import { readRecord } from "../../../ops/containers/record";
import type { Instance } from "../../../ops/incus/types";
import { arrivingConfig, devicesAt, homeConfig } from "../../../ops/moves/configs";
import { parseMark, renderMark } from "../../../ops/moves/mark";

const mark = { to: "jump-2", run: "one", wasRunning: true, autostart: true };
const config = {
  "boot.autostart": "true",
  "limits.memory": "4GiB",
  "security.idmap.isolated": "true",
  "snapshots.schedule": "@daily",
  "volatile.eth0.hwaddr": "10:66:6a:00:00:01",
  [KEY.schema]: "1",
  [KEY.user]: "alice",
  [KEY.keys]: "[]",
  [KEY.state]: "leaving",
  [KEY.move]: renderMark(mark),
};
const devices = {
  eth0: { type: "nic", "ipv4.address": "10.0.3.10", "security.port_isolation": "true" },
  root: { type: "disk", path: "/", size: "20GB" },
};
const instance = { name: "alice-container", config, devices, created_at: "" } as unknown as Instance;

test("a copy that is not home is nobody's, starts with no server, and has no schedule", () => {
  const copy = arrivingConfig(instance, "alice", "jump-1");
  expect(copy).toEqual({
    "boot.autostart": "false",
    "limits.memory": "4GiB",
    "security.idmap.isolated": "true",
    [KEY.arriving]: "alice",
    [KEY.movedFrom]: "jump-1",
  });
  expect(readRecord({ ...instance, config: copy })).toBeUndefined();
});

test("the new home is all that the old one was, but starts with no server until its SSH answers", () => {
  const home = homeConfig(instance, "jump-1");
  expect(home).toMatchObject({ "snapshots.schedule": "@daily", [KEY.user]: "alice", [KEY.arriving]: "" });
  expect(Object.keys(home).filter((key) => key.startsWith("volatile."))).toEqual([]);
  const record = readRecord({ ...instance, config: home });
  expect(record).toMatchObject({ state: "arriving", autostart: false, move: mark, movedFrom: "jump-1" });
});

test("only the address is another", () => {
  expect(devicesAt(instance, "10.0.4.11")).toEqual({
    eth0: { ...devices.eth0, network: "incusbr0", "ipv4.address": "10.0.4.11" },
    root: devices.root,
  });
});

test.each([undefined, "", "no json", "[]", '{"to":1}'])("%p is no mark of a move", (text) => {
  expect(parseMark(text)).toBeUndefined();
});
