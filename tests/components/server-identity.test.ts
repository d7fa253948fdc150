import { serverIdentityProvider as provider } from "../../components/server-identity-provider";

const key = "ssh-ed25519 AAAAone";
const inputs = { server: "jump-1", disk: "containarium-prod-jump-1-data", reportedHostKey: key };
const kept = { ...inputs, hostKeys: [key] };
const diff = (change: Partial<typeof inputs>) => provider.diff("jump-1", kept, { ...inputs, ...change });

test("the first report is kept", async () => {
  expect(await provider.create(inputs)).toEqual({ id: "jump-1", outs: kept });
});

test("a server that never reported has no identity", async () => {
  await expect(provider.create({ ...inputs, reportedHostKey: "" })).rejects.toMatchObject({
    message: "jump-1 has never been up: nobody knows its host key",
    remedy: expect.stringContaining("pulumi up"),
  });
});

test("a server that is down keeps the key that everybody has", async () => {
  expect(await diff({ reportedHostKey: "" })).toEqual({ changes: false, replaces: [] });
});

test("what is not known yet, in a preview, is no change", async () => {
  expect(await diff({ reportedHostKey: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" })).toMatchObject({ changes: false });
});

test("another key from the same disk is refused", async () => {
  await expect(diff({ reportedHostKey: "ssh-ed25519 AAAAtwo" })).rejects.toMatchObject({
    kind: "conflict",
    server: "jump-1",
    message: expect.stringContaining("another host key"),
    remedy: expect.stringContaining("containarium:dataDisks"),
  });
});

test("with the next disk another key is in order, and the old one too: it was restored", async () => {
  const disk = `${inputs.disk}-g2`;
  expect(await diff({ disk })).toMatchObject({ changes: true });
  expect((await provider.update("jump-1", kept, { ...inputs, disk })).outs?.hostKeys).toEqual([key]);
  const other = { ...inputs, disk, reportedHostKey: "ssh-ed25519 AAAAtwo" };
  expect((await provider.update("jump-1", kept, other)).outs).toEqual({ ...other, hostKeys: ["ssh-ed25519 AAAAtwo"] });
});
