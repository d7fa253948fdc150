import type { TestFleet } from "./fleet";

export function people(fleet: TestFleet): void {
  test("create bob --json says where he is; he logs in with what export wrote", async () => {
    fleet.newKey("bob");
    const created = await fleet.ops(["create", "bob", "--ssh-key", "bob.pub", "--json"]);
    expect(created.code).toBe(0);
    const { containers } = JSON.parse(created.stdout);
    expect(containers[0]).toMatchObject({ user: "bob", status: "running", server: "jump-1" });
    expect(containers[0].ip).toMatch(/^10\.0\.3\.\d+$/);
    const config = await fleet.exported("bob");
    expect((await fleet.ssh(["bob-dev", "whoami"], config)).stdout).toBe("bob\n");
    await expectNoChanges(fleet);
  });

  test("create shows seven steps with their times", async () => {
    fleet.newKey("dora");
    const { stderr, stdout, code } = await fleet.ops([
      "create",
      "dora",
      "--ssh-key",
      "dora.pub",
      "--memory",
      "1GiB",
      "--cpu",
      "0.5",
      "--no-docker",
    ]);
    expect(code).toBe(0);
    for (let step = 1; step <= 7; step++) expect(stderr).toMatch(new RegExp(`✓ \\[${step}/7\\] .* \\d+\\.\\ds`));
    expect(stdout).toContain("dora is ready");
    const dora = (await fleet.list()).find(({ user }) => user === "dora");
    expect(dora).toMatchObject({ memory: "1GiB", cpu: 0.5, docker: false });
  });

  test("list and info show them", async () => {
    const list = await fleet.ops(["list"]);
    expect(list.stdout).toMatch(/alice-container.*running/);
    expect(list.stdout).toMatch(/bob-container.*running/);
    const info = await fleet.ops(["info", "bob"]);
    expect(info.stdout).toMatch(/bob-container/);
    expect((await fleet.ops(["info", "nobody-here"])).code).toBe(3);
  });

  test("two containers share no host key, machine id or address", async () => {
    const [one, two] = await Promise.all([
      fleet.ssh(["alice-dev", "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub"]),
      fleet.ssh(["bob-dev", "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub"], await fleet.exported("bob")),
    ]);
    for (const line of one.stdout.trim().split("\n")) expect(two.stdout).not.toContain(line.split(" ").at(-2) ?? line);
    expect(one.stdout.split("\n")[0]).toMatch(/^[0-9a-f]{32}$/);
    const addresses = (await fleet.list()).map(({ ip }) => ip);
    expect(new Set(addresses).size).toBe(addresses.length);
  });

  test("delete takes container, account and key; the record goes too", async () => {
    expect((await fleet.ops(["delete", "bob", "dora", "--force"])).code).toBe(0);
    const left = await fleet.onServer([
      "sh",
      "-c",
      "incus list -f csv -c n; getent passwd bob dora; ls /etc/ssh/containarium/authorized_keys.d",
    ]);
    expect(left.stdout).not.toMatch(/bob|dora/);
    expect(fleet.config()).not.toMatch(/bob|dora/);
    expect((await fleet.ssh(["bob-dev", "true"], `${fleet.clone}/bob.conf`)).code).toBe(255);
    await expectNoChanges(fleet);
  });

  test("delete of somebody who is gone is no such user", async () => {
    expect((await fleet.ops(["delete", "bob", "--force"])).code).toBe(3);
  });
}

export async function expectNoChanges(fleet: TestFleet): Promise<void> {
  const { code, stdout, stderr } = await fleet.pulumi("preview", "--expect-no-changes");
  expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
}
