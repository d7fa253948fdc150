/** Steps of startup/bootstrap.sh, each alone, with stand-ins for what it calls. All of it together: tests/e2e, tests/vm. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import { type Answer, StandIns } from "./stand-ins";

const startup = path.resolve(__dirname, "../../startup");

let server: StandIns | undefined;
afterEach(() => server?.remove());

/** Runs one function of the script instead of all; `/etc` and the data disk are folders of the stand-in. */
function runStep(step: string, commands: string[], answers: Answer[], on = new StandIns(commands, answers)) {
  server = on;
  const script = readFileSync(path.join(startup, "bootstrap.sh"), "utf8")
    .replace(/^readonly here=.*$/m, `readonly here=${startup}`)
    .replace(/^readonly root=/m, `readonly root=${server.root}`)
    .replace(/(?<=[ "])\/etc\//g, `${server.root}/etc/`)
    .replace(/^main "\$@"; exit$/m, step);
  const program = path.join(server.root, "step.sh");
  writeFileSync(program, script, { mode: 0o755 });
  return server.run(program);
}

test("the pool for containers counts what they use, not their snapshots", () => {
  const { code, calls } = runStep("make_pool_zfs", ["zfs", "incus"], [{ to: "zfs\\ list*", exit: 1 }]);
  expect(calls).toContain(
    "incus storage create default zfs source=containarium/containers volume.zfs.use_refquota=true",
  );
  expect(code).toBe(0);
});

describe("kernel limits", () => {
  const raise = (stock: string) =>
    runStep(
      "raise_kernel_limits",
      ["sysctl", "systemd-detect-virt"],
      [
        { to: "systemd-detect-virt*", says: "none" },
        { to: "sysctl\\ -n*", says: stock },
      ],
    ).calls.filter((call) => call.startsWith("sysctl -q -w"));

  test("that a kernel comes with are raised for 150 containers", () => {
    // About eleven inotify instances and a hundred keys each.
    expect(raise("128")).toEqual(
      expect.arrayContaining([
        "sysctl -q -w fs.inotify.max_user_instances=8192",
        "sysctl -q -w kernel.keys.maxkeys=20000",
        "sysctl -q -w net.ipv4.neigh.default.gc_thresh3=8192",
      ]),
    );
  });

  test("that are higher already are left alone", () => {
    expect(raise("999999999")).toEqual([]);
  });
});

test("a new boot disk has the host key of the data disk, and no other", () => {
  const on = new StandIns([], []);
  on.write("etc/containarium/server.json", JSON.stringify({ name: "jump-1" }));
  on.write("etc/ssh/ssh_host_ed25519_key", "the image's own");
  on.write("etc/ssh/ssh_host_rsa_key", "the image's own");
  on.write("srv/containarium/ssh/.keep", "");
  expect(runStep("ensure_host_keys", [], [], on).code).toBe(0);
  const key = on.read("etc/ssh/ssh_host_ed25519_key.pub");
  expect(key).toMatch(/^ssh-ed25519 \S+ jump-1$/m);
  expect(on.read("etc/ssh/ssh_host_rsa_key")).toBeUndefined();

  rmSync(path.join(on.root, "etc/ssh"), { recursive: true });
  on.write("etc/ssh/ssh_host_ed25519_key", "another image's own");
  expect(runStep("ensure_host_keys", [], [], on).code).toBe(0);
  expect(on.read("etc/ssh/ssh_host_ed25519_key.pub")).toBe(key);
  expect(on.read("etc/ssh/ssh_host_ed25519_key")).toBe(on.read("srv/containarium/ssh/ssh_host_ed25519_key"));
});
