import { parseJournal } from "../../../ops/audit/container-logins";

const key = `ED25519 SHA256:${"k".repeat(43)}`;
const line = (message: unknown, time: unknown = "1795788800426137") =>
  JSON.stringify({ __REALTIME_TIMESTAMP: time, MESSAGE: message });
const accepted = `Accepted publickey for alice from 10.0.3.1 port 45426 ssh2: ${key}`;

test("a login as the container's sshd writes it", () => {
  const event = "container-login";
  expect(parseJournal(`${line(accepted)}\n`, "alice")).toEqual([
    { event, time: "2026-11-27T14:13:20.426Z", user: "alice", address: "10.0.3.1", port: 45426, key },
  ]);
});

test.each([
  ["somebody else's", line(accepted.replace("alice", "bob"))],
  ["with more behind it", line(`${accepted}\u001b[2J`)],
  ["with more before it", line(`x ${accepted}`)],
  ["with a line more", line(`${accepted}\n`)],
  ["with an address that is none", line(accepted.replace("10.0.3.1", "evil\u001b[31m"))],
  ["without a time", line(accepted, null)],
  ["with a time beyond all times", line(accepted, "9".repeat(30))],
  ["a list of bytes", line([65, 66])],
  ["no object", "null\n[]\n7\n"],
  ["no JSON", "{\n\u001b[31m"],
])("what the owner writes there instead is left out: %s", (_what, text) => {
  expect(parseJournal(text, "alice")).toEqual([]);
});

test("no more than a thousand, however many are there", () => {
  expect(parseJournal(Array<string>(5000).fill(line(accepted)).join("\n"), "alice")).toHaveLength(1000);
});
