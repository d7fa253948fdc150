import { mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";

import { run, succeed } from "./clone";
import type { TestFleet } from "./fleet";

/** Somebody else's project with the packed tarball as a dependency. */
export function otherProject(fleet: TestFleet): void {
  const project = () => path.join(fleet.clone, "..", `${path.basename(fleet.clone)}-other`);

  test("the packed tarball installs, and npx containarium-ops works from there", async () => {
    mkdirSync(project());
    const packed = await succeed(["npm", "pack", "--silent", "--pack-destination", project()], { cwd: fleet.clone });
    const tarball = packed.stdout.trim().split("\n").at(-1) ?? "";
    writeFileSync(path.join(project(), "package.json"), JSON.stringify({ name: "other", private: true }));
    await succeed(["npm", "install", "--no-audit", "--no-fund", `./${tarball}`], {
      cwd: project(),
      timeoutMs: 300_000,
    });
    const [server] = JSON.parse((await fleet.pulumi("stack", "output", "inventory", "--json")).stdout).servers;
    writeFileSync(path.join(project(), "known_hosts"), `${server.address} ${server.hostKeys[0]}\n`);
    const args = ["list", "--json", "--host", `admin@${server.address}`, "--known-hosts", "known_hosts"];
    const identity = path.join(fleet.clone, ".containarium/admin_key");
    const listed = await succeed(["npx", "containarium-ops", ...args, "--identity", identity], { cwd: project() });
    expect(JSON.parse(listed.stdout).containers.map(({ user }: { user: string }) => user)).toContain("alice");
  });

  test("its programs find the library and the provider", async () => {
    const script = `
      const { Container } = require("containarium");
      const { parseUserName } = require("containarium/ops");
      const provider = require("module").createRequire(process.cwd() + "/")("containarium/provider");
      console.log(typeof Container, typeof parseUserName, Object.keys(provider.container).sort().join(" "));`;
    const { stdout } = await succeed(["node", "-e", script], { cwd: project() });
    expect(stdout).toBe("function function check create delete diff read update\n");
  });

  test("on the server itself it needs no SSH: --local", async () => {
    const folder = "/root/ops";
    await fleet.onServer(["mkdir", "-p", folder]);
    // Servers have no Node; an administrator who works there brings it.
    await succeed(["incus", "file", "push", process.execPath, `${fleet.machine}${folder}/node`], { cwd: "/" });
    const pack = `tar -c -C ${project()} --exclude=@pulumi node_modules | incus exec ${fleet.machine} -- tar -x -C ${folder}`;
    await succeed(["sh", "-c", pack], { cwd: "/" });
    fleet.newKey("lars");
    await succeed(["incus", "file", "push", path.join(fleet.clone, "lars.pub"), `${fleet.machine}${folder}/lars.pub`], { cwd: "/" }); // prettier-ignore
    const local = async (...args: string[]) => {
      const command = `cd ${folder} && exec ./node node_modules/containarium/bin/containarium-ops "$@" --local`;
      const result = await fleet.onServer(["sh", "-c", command, "sh", ...args]);
      expect({ args, ...result }).toMatchObject({ code: 0 });
      return result.stdout;
    };
    const users = async () =>
      JSON.parse(await local("list", "--json")).containers.map((one: { user: string }) => one.user);
    await local("create", "lars", "--ssh-key", "lars.pub");
    expect(await users()).toEqual(expect.arrayContaining(["alice", "lars"]));
    expect(await local("keys", "list", "lars")).toContain("lars@laptop");
    await local("snapshot", "create", "lars", "--name", "one");
    await local("stop", "lars");
    await local("start", "lars");
    const jump = (await fleet.ops(["export", "lars", "--key", path.join(fleet.clone, "lars"), "--output", "lars.conf"]))
      .code;
    expect([jump, (await fleet.ssh(["lars-dev", "whoami"], path.join(fleet.clone, "lars.conf"))).stdout]).toEqual([0, "lars\n"]); // prettier-ignore
    await local("delete", "lars", "--force");
    expect(await users()).not.toContain("lars");
    await fleet.onServer(["rm", "-rf", folder]);
  });

  afterAll(() => run(["rm", "-rf", project()], { cwd: "/" }));
}
