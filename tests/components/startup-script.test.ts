import { checkMetadata, metadataKey, type ServerValues, startupMetadata } from "../../components/startup-script";
import { startupFiles } from "../../components/startup-files";
import { InvalidInputError } from "../../ops/errors";

const values: ServerValues = {
  name: "jump-1",
  admin: { user: "admin", authorizedKeys: ["ssh-ed25519 AAAA admin"] },
  containerSubnet: "10.0.3.0/24",
  fleetSubnet: "10.64.0.0/24",
  dataDiskId: "containarium-prod-jump-1",
  mayFormat: true,
  neverBan: [],
  image: "images:ubuntu/24.04",
};
const files = startupFiles();
const file = (name: string, content: string) => ({ name, content, executable: false });

test("one key per file, the list of them, the server's values, the boot script", () => {
  const metadata = startupMetadata(files, values);
  expect(Object.keys(metadata).sort()).toEqual(
    [
      ...files.map(({ name }) => metadataKey(name)),
      "containarium-files",
      "containarium-server",
      "startup-script",
    ].sort(),
  );
  for (const { name, content } of files) expect(metadata[metadataKey(name)]).toBe(content);
  expect(metadata["containarium-files"]).toMatch(/^containarium-file-bootstrap_sh 0755 [0-9a-f]{64} bootstrap\.sh$/m);
  expect(metadata["startup-script"]).toMatch(/^#!\/bin\/bash\n/);
});

test("what a server is told", () => {
  const told = JSON.parse(startupMetadata(files, values)["containarium-server"]!) as Record<string, unknown>;
  expect(told).toMatchObject({
    schema: 1,
    ...values,
    dataDisk: "/dev/disk/by-id/google-incus-data",
    storage: "zfs",
    imageSource: "images:ubuntu/24.04",
  });
  expect(told["startupHash"]).toMatch(/^[0-9a-f]{16}$/);
});

test("the boot script is no startup file: a local machine never gets it", () => {
  expect(files.map(({ name }) => name)).not.toContain("boot.sh");
});

test.each<[string, Record<string, string>, RegExp]>([
  ["a file over the limit", { big: "ä".repeat(131_073) }, /big has 262146 bytes.*262144 are allowed/],
  ["a key with a dot", { "a.b": "" }, /"a\.b" is not allowed/],
  ["too much in all", { a: "x".repeat(262_144), b: "x".repeat(262_142) }, /524288 bytes/],
])("refuses %s", (_what, metadata, message) => {
  expect(() => checkMetadata(metadata)).toThrow(message);
  expect(() => checkMetadata(metadata)).toThrow(InvalidInputError);
});

test("what just fits is accepted", () => {
  expect(() => checkMetadata({ a: "x".repeat(262_144), b: "x".repeat(262_141) })).not.toThrow();
});

test("two files that would share a key are refused", () => {
  expect(() => startupMetadata([file("a.b", ""), file("a_b", "")], values, "")).toThrow(/same metadata key/);
});
