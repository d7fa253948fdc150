import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openServer, waitFor, withServer } from "../../../ops";
import { findIdentities } from "../../../ops/host/identity";
import { startFakeServer } from "../../fakes/fake-server";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "containarium-home-"));
  await mkdir(join(home, ".ssh"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const makeKey = (name: string, passphrase = "", type = "ed25519") =>
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-f", join(home, ".ssh", name)]);

it("tries the usual files in ssh's order, and leaves out those with a passphrase", async () => {
  makeKey("id_rsa", "", "rsa");
  makeKey("id_ed25519");
  makeKey("id_ecdsa", "secret", "ecdsa");
  const found = await findIdentities({ user: "admin", home, environment: {} });
  expect(found.names).toEqual([join(home, ".ssh/id_ed25519"), join(home, ".ssh/id_rsa")]);
  expect(found.encrypted).toEqual([join(home, ".ssh/id_ecdsa")]);
});

it("says when there is nothing to try, and why", async () => {
  const find = () => findIdentities({ user: "admin", home, environment: {} });
  await expect(find()).rejects.toMatchObject({
    kind: "authentication",
    message: expect.stringContaining("holds none"),
  });
  makeKey("id_ed25519", "secret");
  await expect(find()).rejects.toMatchObject({ message: expect.stringContaining("has a passphrase") });
});

it("takes ~ for the home directory, and a relative path from the base directory", async () => {
  makeKey("mine");
  const environment = {};
  await findIdentities({ user: "admin", home, environment, identityFile: "~/.ssh/mine" });
  await findIdentities({ user: "admin", home, environment, identityFile: "mine", baseDirectory: join(home, ".ssh") });
});

describe("an SSH agent", () => {
  let agent: ChildProcess;
  let socket: string;
  beforeEach(async () => {
    socket = join(home, "agent.socket");
    agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
    await waitFor(() => existsSync(socket), { timeoutMs: 5000, what: "the agent" });
  });
  afterEach(() => agent.kill());

  const add = (file: string) =>
    execFileSync("ssh-add", ["-q", file], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "ignore" });

  it("logs in, without a file", async () => {
    const fake = await startFakeServer();
    const before = process.env["SSH_AUTH_SOCK"];
    process.env["SSH_AUTH_SOCK"] = socket;
    try {
      const address = { ...fake.address, identityFile: undefined };
      await expect(openServer(address)).rejects.toMatchObject({ kind: "authentication" });
      await copyFile(fake.address.identityFile!, join(home, "admin_key"));
      add(join(home, "admin_key"));
      await withServer(address, {}, (server) => server.incus.server());
    } finally {
      if (before === undefined) delete process.env["SSH_AUTH_SOCK"];
      else process.env["SSH_AUTH_SOCK"] = before;
      await fake.close();
    }
  });

  it("stands in for an identity file with a passphrase", async () => {
    makeKey("locked", "secret");
    const identityFile = join(home, ".ssh/locked");
    const found = await findIdentities({ user: "admin", home, environment: { SSH_AUTH_SOCK: socket }, identityFile });
    expect(found).toMatchObject({ names: ["the SSH agent"], encrypted: [identityFile] });
  });

  it("that is gone is not tried", async () => {
    makeKey("id_ed25519");
    const found = await findIdentities({ user: "admin", home, environment: { SSH_AUTH_SOCK: join(home, "none") } });
    expect(found.names).toEqual([join(home, ".ssh/id_ed25519")]);
  });
});
