import * as path from "node:path";

import * as pulumi from "@pulumi/pulumi";

/** The built code, as the engine gets it: what is serialised depends on how it was compiled. */
const { stub } = require(path.resolve("dist/components/stub.js")) as typeof import("../../components/stub");

async function serialized(kind: Parameters<typeof stub>[0]): Promise<string> {
  const provider = stub(kind);
  return (await pulumi.runtime.serializeFunction(() => provider)).text;
}

test.each(["container", "localBalancer", "localHost", "localMachine"] as const)(
  "the state holds no logic of %s",
  async (kind) => {
    const text = await serialized(kind);
    expect(text.length).toBeLessThan(2500);
    expect(text).toContain("containarium/provider");
    expect(text).not.toMatch(/incus|ssh2|undici|losetup/i);
  },
);

test("resources of a kind share a provider, which Pulumi then serialises once", () => {
  expect(stub("container")).toBe(stub("container"));
  expect(stub("container")).not.toBe(stub("localHost"));
});
