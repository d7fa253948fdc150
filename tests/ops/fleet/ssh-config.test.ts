import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderKnownHosts, renderSshConfig, type Container, type ServerAddress } from "../../../ops";

const server: ServerAddress = {
  name: "jump-1",
  address: "203.0.113.5",
  port: 2222,
  adminUser: "admin",
  hostKeys: ["ssh-ed25519 AAAAserver root@jump-1"],
};
const container = { name: "alice-container", ip: "10.0.3.10", hostKeys: ["ssh-ed25519 AAAAcontainer"] } as Container;
const options = { user: "alice", server, container, knownHostsFile: "/home/a/known_hosts" };

it("renders both hops", () => {
  expect(renderSshConfig({ ...options, keyFile: "~/.ssh/alice" })).toMatchInlineSnapshot(`
   "Host alice-jump
       HostName 203.0.113.5
       Port 2222
       HostKeyAlias jump-1
       User alice
       IdentityFile ~/.ssh/alice
       IdentitiesOnly yes
       StrictHostKeyChecking yes
       UserKnownHostsFile /home/a/known_hosts
       UpdateHostKeys no
       ServerAliveInterval 30

   Host alice-dev
       HostName 10.0.3.10
       HostKeyAlias alice-container
       ProxyJump alice-jump
       User alice
       IdentityFile ~/.ssh/alice
       IdentitiesOnly yes
       StrictHostKeyChecking yes
       UserKnownHostsFile /home/a/known_hosts
       UpdateHostKeys no
       ServerAliveInterval 30
   "
  `);
});

it("leaves the key out when none is named, and takes another address for the jump", () => {
  const text = renderSshConfig({ ...options, jumpAddress: "lb.example.com" });
  expect(text).not.toContain("IdentityFile");
  expect(text).toContain("HostName lb.example.com");
});

it("leads to the balancer where there is one, and to any of its servers under one name", () => {
  const balancer = { address: "203.0.113.99", port: 22 };
  const text = renderSshConfig({ ...options, balancer });
  expect(text).toContain("HostName 203.0.113.99\n    Port 22\n    HostKeyAlias containarium-jump\n");
  expect(renderSshConfig({ ...options, balancer, jumpAddress: "203.0.113.5" })).toBe(
    text.replace("203.0.113.99", "203.0.113.5"),
  );
  const second = { ...server, name: "jump-2", hostKeys: ["ssh-ed25519 AAAAsecond"] };
  expect(renderKnownHosts(server, container, [server, second])).toBe(
    "containarium-jump ssh-ed25519 AAAAserver\ncontainarium-jump ssh-ed25519 AAAAsecond\nalice-container ssh-ed25519 AAAAcontainer\n",
  );
});

it("pins both hops by the names of the config", () => {
  expect(renderKnownHosts(server, container)).toBe(
    "jump-1 ssh-ed25519 AAAAserver\nalice-container ssh-ed25519 AAAAcontainer\n",
  );
});

it("says to ssh what we mean, also with spaces and percent signs in paths", () => {
  const directory = mkdtempSync(join(tmpdir(), "containarium config "));
  try {
    const file = join(directory, "ssh_config");
    const paths = { keyFile: join(directory, "100% mine"), knownHostsFile: join(directory, "known hosts") };
    writeFileSync(file, renderSshConfig({ ...options, ...paths }));
    const said = (host: string) =>
      execFileSync("ssh", ["-G", "-F", file, host], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split(
        "\n",
      );
    const jump = said("alice-jump");
    for (const line of [
      "hostname 203.0.113.5",
      "port 2222",
      "user alice",
      "hostkeyalias jump-1",
      "identitiesonly yes",
      "stricthostkeychecking true",
      "updatehostkeys false",
    ]) {
      expect(jump).toContain(line);
    }
    const dev = said("alice-dev");
    for (const line of [
      "hostname 10.0.3.10",
      "port 22",
      "user alice",
      "hostkeyalias alice-container",
      "proxyjump alice-jump",
    ]) {
      expect(dev).toContain(line);
    }
    const files = dev.filter((line) => /^(identityfile|userknownhostsfile) /.test(line)).join("\n");
    expect(files).toMatch(/100%+ mine/);
    expect(files).toContain("known hosts");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
