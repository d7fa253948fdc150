import fc from "fast-check";
import { resolveSpec } from "../../../ops";
import { changeFor } from "../../../ops/containers/converge";
import { parseCpuAllowance, renderConfig, renderCpu, renderDevices } from "../../../ops/containers/instance-config";
import { readRecord } from "../../../ops/containers/record";
import type { Instance } from "../../../ops/incus/types";
import { ALICE_KEY } from "../../fakes/keys";

const spec = resolveSpec({ user: "alice", sshKeys: [ALICE_KEY, `${ALICE_KEY} twice`] });
const making = {
  image: "debian/13",
  address: "10.0.3.10",
  createdAt: "2026-11-24T10:00:00.000Z",
  createdBy: "admin",
  run: "r1",
};
const instance = (config = renderConfig(spec, making)): Instance =>
  ({
    name: "alice-container",
    status: "Running",
    created_at: "",
    config,
    devices: renderDevices(spec, "10.0.3.10"),
  }) as unknown as Instance;

it("renders the whole config", () => {
  expect(renderConfig(spec, making)).toMatchInlineSnapshot(`
   {
     "boot.autostart": "true",
     "limits.cpu.allowance": "400ms/100ms",
     "limits.memory": "4GiB",
     "limits.processes": "4096",
     "security.idmap.isolated": "true",
     "security.nesting": "true",
     "security.privileged": "false",
     "security.syscalls.intercept.mknod": "true",
     "security.syscalls.intercept.setxattr": "true",
     "user.containarium.created-at": "2026-11-24T10:00:00.000Z",
     "user.containarium.created-by": "admin",
     "user.containarium.docker": "true",
     "user.containarium.image": "debian/13",
     "user.containarium.keys": "["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB alice@laptop"]",
     "user.containarium.run": "r1",
     "user.containarium.schema": "1",
     "user.containarium.state": "creating",
     "user.containarium.user": "alice",
   }
  `);
});

it("renders the devices", () => {
  expect(renderDevices(spec, "10.0.3.10")).toMatchInlineSnapshot(`
   {
     "eth0": {
       "ipv4.address": "10.0.3.10",
       "name": "eth0",
       "network": "incusbr0",
       "security.ipv4_filtering": "true",
       "security.ipv6_filtering": "true",
       "security.mac_filtering": "true",
       "security.port_isolation": "true",
       "type": "nic",
     },
     "root": {
       "path": "/",
       "pool": "default",
       "size": "20GB",
       "type": "disk",
     },
   }
  `);
});

it("is unprivileged with its own ids, whatever the spec says; nesting only for Docker", () => {
  for (const docker of [true, false]) {
    const config = renderConfig(resolveSpec({ user: "alice", sshKeys: [ALICE_KEY], docker }), making);
    expect(config).toMatchObject({
      "security.privileged": "false",
      "security.idmap.isolated": "true",
      "security.nesting": String(docker),
    });
  }
});

it("reads back what it rendered", () => {
  expect(readRecord(instance())).toMatchObject({
    user: "alice",
    state: "creating",
    keys: [ALICE_KEY],
    address: "10.0.3.10",
    image: "debian/13",
    cpu: 4,
    memory: "4GiB",
    diskQuota: "20GB",
    autostart: true,
    docker: true,
    hostKeys: [],
    createdAt: making.createdAt,
    run: "r1",
  });
});

it("does not take an instance without our marker for ours", () => {
  expect(readRecord(instance({}))).toBeUndefined();
  expect(readRecord(instance({ "user.containarium.user": "alice" }))).toBeUndefined();
});

it("survives a config that somebody broke", () => {
  const broken = { "user.containarium.schema": "1", "user.containarium.user": "alice", "user.containarium.keys": "{" };
  expect(readRecord({ ...instance(broken), devices: {} })).toMatchObject({ keys: [], address: "", cpu: 0 });
});

it("renders CPU time and reads it back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 51200 }), (hundredths) => {
      expect(parseCpuAllowance(renderCpu(hundredths / 100))).toBe(hundredths / 100);
    }),
  );
  expect(renderCpu(0.1)).toBe("10ms/100ms");
  expect(parseCpuAllowance("50%")).toBe(0);
});

it("changes only what differs", () => {
  expect(changeFor(instance(), spec)).toBeUndefined();
  const larger = resolveSpec({ user: "alice", sshKeys: [ALICE_KEY], memory: "8GiB" });
  expect(changeFor(instance(), larger)).toEqual({ config: { "limits.memory": "8GiB" } });
  const disk = resolveSpec({ user: "alice", sshKeys: [ALICE_KEY], diskQuota: "30GB" });
  expect(changeFor(instance(), disk)).toEqual({
    config: {},
    devices: { root: { type: "disk", path: "/", pool: "default", size: "30GB" } },
  });
});

it("takes back a wall that somebody removed", () => {
  const opened = instance({ ...renderConfig(spec, making), "security.privileged": "true" });
  expect(changeFor(opened, spec)).toEqual({ config: { "security.privileged": "false" } });
});
