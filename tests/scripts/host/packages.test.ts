import { backportsFile, installPackages, needed, planPackages } from "../../../scripts/host/packages";
import { fakeHost } from "../fake-host";

const release = (id: string, version: string) => ({
  "/etc/os-release": `NAME="x"\nID=${id}\nVERSION_ID="${version}"\n`,
});
const installed = (...names: string[]) => ({ stdout: names.map((name) => `installed ${name}\n`).join("") });
const all = needed.map(({ name }) => name);

describe("planPackages", () => {
  it("asks for nothing where everything is installed, on whatever system", async () => {
    const host = fakeHost({ files: release("arch", "1"), answers: { "dpkg-query": installed(...all) } });
    expect(await planPackages(host)).toEqual({ install: [] });
  });

  it("asks for what is missing only, with the reason", async () => {
    const present = all.filter((name) => name !== "zstd" && name !== "attr");
    const host = fakeHost({ files: release("debian", "13"), answers: { "dpkg-query": installed(...present) } });
    const plan = await planPackages(host);
    expect(plan.install.map(({ name }) => name)).toEqual(["attr", "zstd"]);
    expect(plan.install.every(({ why }) => why.length > 0)).toBe(true);
  });

  it("does not take a removed package's leftovers for the package", async () => {
    const stdout = all.map((name) => `${name === "zstd" ? "config-files" : "installed"} ${name}\n`).join("");
    const host = fakeHost({ files: release("debian", "13"), answers: { "dpkg-query": { stdout } } });
    expect((await planPackages(host)).install.map(({ name }) => name)).toEqual(["zstd"]);
  });

  it.each([
    ["Debian 12", "debian", "12", "  Candidate: (none)\n", "bookworm-backports"],
    ["Debian 12 with backports", "debian", "12", "incus-base:\n  Candidate: 6.0.4\n", undefined],
    ["Debian 12, never heard of it", "debian", "12", "", "bookworm-backports"],
    ["Debian 13", "debian", "13", "  Candidate: (none)\n", undefined],
    ["Ubuntu 24.04", "ubuntu", "24.04", "  Candidate: (none)\n", undefined],
  ])("takes Incus on %s from the right archive", async (_what, id, version, policy, backports) => {
    const host = fakeHost({
      files: release(id, version),
      answers: { "dpkg-query": { code: 1 }, "apt-cache policy": { stdout: policy } },
    });
    expect((await planPackages(host)).backports).toBe(backports);
  });

  it("is content with another packaging of Incus", async () => {
    const present = ["incus", ...all.filter((name) => !name.startsWith("incus-"))];
    const host = fakeHost({ files: release("debian", "12"), answers: { "dpkg-query": installed(...present) } });
    expect(await planPackages(host)).toEqual({ install: [] });
  });

  it("refuses a system that it does not know, saying what is missing", async () => {
    const host = fakeHost({ files: release("fedora", "42"), answers: { "dpkg-query": { code: 127 } } });
    await expect(planPackages(host)).rejects.toMatchObject({
      message: expect.stringContaining("Debian 12, Debian 13 or Ubuntu 24.04"),
      log: expect.stringContaining("incus-base"),
    });
  });
});

describe("installPackages", () => {
  const files = { "/etc/apt/sources.list": "deb [signed-by=/k] http://mirror.example/debian bookworm main\n" };
  const plan = { install: [{ name: "incus-base", why: "" }], backports: "bookworm-backports" };

  it("adds the source, says in it why, then updates, then installs", async () => {
    const host = fakeHost({ files, answers: { tee: {}, "env DEBIAN_FRONTEND=noninteractive apt-get": {} } });
    await installPackages(host, plan);
    expect(host.commands[0]).toBe(`tee ${backportsFile}`);
    expect(host.inputs.get(`tee ${backportsFile}`)).toMatch(
      /^# Added by Containarium.*Incus[\s\S]*\nURIs: http:\/\/mirror\.example\/debian\nSuites: bookworm-backports\n/,
    );
    expect(host.commands[1]).toMatch(/^env DEBIAN_FRONTEND=noninteractive apt-get .*update$/);
    expect(host.commands[2]).toMatch(/^env DEBIAN_FRONTEND=noninteractive apt-get .*install --yes .*incus-base$/);
  });

  it("goes through sudo for anybody but root, and never lets it ask", async () => {
    const host = fakeHost({ files, uid: 1000, answers: { "sudo -n": {} } });
    await installPackages(host, plan);
    expect(host.commands).toHaveLength(3);
  });

  it("reads the mirror from the newer format too, and says so where there is none", async () => {
    const text =
      "Types: deb\nURIs: http://mirror.example/debian-security\n\nTypes: deb\nURIs: http://other.example/debian\n";
    const host = fakeHost({
      files: { "/etc/apt/sources.list.d/debian.sources": text },
      answers: { tee: {}, "env DEBIAN_FRONTEND=noninteractive apt-get": {} },
    });
    await installPackages(host, plan);
    expect(host.inputs.get(`tee ${backportsFile}`)).toContain("URIs: http://other.example/debian\n");
    const nowhere = fakeHost();
    await expect(installPackages(nowhere, plan)).rejects.toThrow(/which mirror/);
    expect(nowhere.commands).toEqual([]);
  });

  it("runs nothing when nothing is missing", async () => {
    const host = fakeHost();
    await installPackages(host, { install: [] });
    expect(host.commands).toEqual([]);
  });

  it("shows apt's last words when it fails", async () => {
    const apt = "env DEBIAN_FRONTEND=noninteractive apt-get";
    const host = fakeHost({
      files,
      answers: {
        tee: {},
        [apt]: (command) => (command.includes("install") ? { code: 100, stderr: "E: no space\n" } : {}),
      },
    });
    await expect(installPackages(host, plan)).rejects.toMatchObject({
      log: "E: no space",
      remedy: expect.stringMatching(/apt-get update/),
    });
  });
});
