import fc from "fast-check";
import { containerName, parseUserName } from "../../../ops";

describe("parseUserName", () => {
  it.each(["alice", "a", "a-b_c9", "x".repeat(32)])("takes %s", (name) => expect(parseUserName(name)).toBe(name));

  it.each([
    "",
    "Alice",
    "9lives",
    "-rf",
    "_x",
    "a b",
    "a;id",
    "a$(id)",
    "a/b",
    "../x",
    "a.b",
    "älice",
    "a\n",
    "alice\nroot",
    " alice",
    "x".repeat(33),
  ])("refuses %j", (name) => {
    expect(() => parseUserName(name)).toThrow(
      expect.objectContaining({ kind: "invalid", remedy: expect.stringContaining("small letter") }),
    );
  });

  it.each([
    "root",
    "admin",
    "daemon",
    "www-data",
    "nobody",
    "sshd",
    "incus",
    "incus-admin",
    "docker",
    "sudo",
    "ubuntu",
    "debian",
    "systemd-network",
    "messagebus",
    "containarium",
    "containarium-jump",
    "google-sudoers",
  ])("refuses %s, which is the server's", (name) => {
    expect(() => parseUserName(name)).toThrow(
      expect.objectContaining({ kind: "invalid", message: expect.stringContaining("reserved") }),
    );
  });

  it("gives every name that it takes a container name that Incus takes", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z0-9_-]{0,31}$/), (name) => {
        // Incus' rule: a host name of 63 characters at most that does not end with a hyphen.
        expect(containerName(name)).toMatch(/^[a-z](?=.{0,62}$)[a-z0-9-]*[a-z0-9]$/);
      }),
    );
  });
});
